"""FLUSHALL while every id that was dispatched still lies in Redis."""

from tests.chaos.proof import prove
from tests.chaos.world import World

MANY = 14
DISPATCHED = "SELECT count(*) FROM ledger.jobs WHERE state = 'dispatched'"


def test_a_flush_of_every_id_costs_seconds_and_no_job(world: World) -> None:
    world.dispatcher()
    for _ in range(MANY):
        world.web.chat()
    world.until(lambda: world.value(DISPATCHED) == MANY, "all are dispatched, and nobody is there to take them")
    assert sum(world.redis.llen(key) for key in world.redis.keys("*:language:*")) == MANY
    world.redis.flushall()
    world.worker()
    print(f"{MANY} ids lost; all finished {world.finish():.1f} s after the flush")
    prove(world)
