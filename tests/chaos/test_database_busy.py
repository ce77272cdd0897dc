"""Locks that last and deadlocks: the world was briefly wrong, and no handler has a bug."""

from tests.chaos.proof import prove
from tests.chaos.world import World

SUMMARIZE = "conversations.summarize"
TRIED = "SELECT outcome, error_code FROM ledger.attempts"


def test_a_lock_that_lasts_is_waited_for_and_then_tried_again(world: World) -> None:
    world.sql(f"ALTER ROLE nexara_worker IN DATABASE {world.database} SET lock_timeout = '300ms'")
    world.dispatcher(), world.worker().up()
    with world.hold("LOCK TABLE nexara.summaries IN EXCLUSIVE MODE"):
        talk = world.web.chat()
        world.until(lambda: world.job(SUMMARIZE, talk.id).state == "retryable", "given up for now")
    assert world.job(SUMMARIZE, talk.id).reason == "database_busy"
    assert [tuple(row) for row in world.sql(TRIED)] == [("try_again", "sql_55p03")]
    world.finish()
    prove(world)


def test_a_save_that_was_the_victim_of_a_deadlock_is_done_again_at_once(world: World) -> None:
    world.dispatcher(), world.worker().up()
    with world.hold("LOCK TABLE nexara.summaries IN EXCLUSIVE MODE") as other:
        talk = world.web.chat()
        other.waited_for("summaries")  # it has the job's row
        other.also("SET deadlock_timeout = '30 s'")
        other.also("SELECT FROM ledger.jobs WHERE id = %s FOR UPDATE", world.job(SUMMARIZE, talk.id).id)
    world.finish()
    assert "transaction.deadlocked" in world.processes[-1].said
    assert world.sql(TRIED) == []
    prove(world)


def test_a_transaction_of_the_web_tier_that_stays_open_stops_nobody_elses_jobs(world: World) -> None:
    talk = world.web.chat()
    world.dispatcher()
    world.until(lambda: world.job(SUMMARIZE, talk.id).state == "dispatched", "dispatched")
    with world.web.acting() as db:
        enqueue = f"SELECT ledger.enqueue_job_v1('{SUMMARIZE}', jsonb_build_object('conversation_id', '{talk.id}'))"
        db.exec_driver_sql(enqueue)  # a duplicate, which locks the job that it joins
        world.worker().up()
        others = [world.web.chat(), world.web.chat()]
        took = world.until(
            lambda: all(world.job("usage.meter", other.id) for other in others), "the others' jobs run", within=6
        )
        print(f"others {took:.1f} s")
        assert world.job(SUMMARIZE, talk.id).state == "dispatched"
    world.finish()
    assert world.sql(TRIED) == []
    prove(world)
