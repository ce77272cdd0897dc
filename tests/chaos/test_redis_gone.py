"""Redis flushed, stopped, hung, restarted: it is only the bell."""

import time

from tests.chaos.proof import prove
from tests.chaos.world import World

FRESH = "SELECT max(extract(epoch FROM clock_timestamp() - heartbeat_at)) FROM ledger.workers"


def test_a_flush_of_every_id_costs_seconds_and_no_job(world: World) -> None:
    for _ in range(10):
        world.web.chat()
    world.dispatcher()
    world.until(lambda: {job.state for job in world.open_jobs()} == {"dispatched"}, "all are dispatched")
    world.redis.flushall()
    world.worker().up()
    print(f"finished {world.finish():.1f} s after the flush")
    prove(world)


def test_while_redis_is_down_workers_go_straight_to_the_ledger(world: World) -> None:
    world.dispatcher(), world.worker().up()
    world.web.chat()
    world.finish()
    world.redis_server.kill()
    world.web.chat(), world.web.call()
    print(f"finished without Redis in {world.finish():.1f} s")
    world.redis_server.start()
    world.web.chat()
    print(f"and with it again in {world.finish():.1f} s")
    prove(world)


def test_while_redis_hangs_workers_go_straight_to_the_ledger_and_their_hearts_go_on_beating(world: World) -> None:
    world.dispatcher(), world.worker().up()
    world.web.chat()
    world.finish()
    with world.frozen_redis():
        world.web.chat(), world.web.call()
        oldest = 0.0
        since = time.monotonic()
        while world.open_jobs() or time.monotonic() - since < 1:
            oldest = max(oldest, world.value(FRESH))
            time.sleep(0.1)
            assert time.monotonic() - since < 60
        print(f"finished while Redis hung in {time.monotonic() - since:.1f} s, oldest heartbeat {oldest:.1f} s")
    world.web.chat()
    print(f"and after it in {world.finish():.1f} s")
    prove(world)


def test_a_restart_that_empties_redis_loses_no_job(world: World) -> None:
    world.dispatcher(), world.worker().up()
    for _ in range(3):
        world.web.chat()
        world.redis_server.restart()
        world.web.chat()
    print(f"finished {world.finish():.1f} s after the last restart")
    prove(world)
