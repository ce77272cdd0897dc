"""kill -9 in the middle of an operation on many jobs: it goes on by itself, and each of its jobs is retried once."""

from collections import Counter
from uuid import uuid4

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.orm import Session

from ledger.audit import Actor
from ledger.enqueue_many import enqueue_many
from ledger.operations import create
from ledger.queries import JobFilter
from models.operations import Action
from models.operators import Role
from tests.chaos.small.kinds import Note
from tests.chaos.small.outcome import prepare, worker
from tests.chaos.world import World

BATCH = 500
"""Jobs that an operation touches in one transaction."""
MANY = 2 * BATCH + 200
PRINT = "0123456789abcdef"
# As a vendor that is down leaves them: every attempt spent, and nothing done.
ALL_FAIL = """
UPDATE ledger.jobs SET state = 'dead', reason = 'attempts_exhausted', fence = fence + 1, attempt = max_attempts,
       finished_at = now(), fingerprint = :print, failed_at = now() - id * interval '1 ms'
"""
RETRIED = "SELECT unnest(jobs) FROM ledger.audit WHERE action = 'operations.batch'"
SECOND = "SELECT FROM ledger.operation_batches WHERE number = 1 FOR UPDATE"


def test_a_worker_killed_in_the_middle_of_retrying_a_group_costs_no_job_and_retries_none_twice(world: World) -> None:
    prepare(world)
    ids = _failed(world)
    _ask_for_a_retry(world)
    world.dispatcher().up()
    with world.hold(SECOND) as between:
        killed = world.worker(threads=2)
        between.waited_for()  # the first batch is committed
        with world.hold("LOCK TABLE ledger.audit IN SHARE MODE") as audit:
            between.release()
            audit.waited_for()  # the second is retried, and about to be written down in the same transaction
            killed.kill()
            assert _counted(world) == (BATCH, {}, "working")
    world.worker(threads=2).up()
    seconds = world.until(lambda: _counted(world)[2] == "done", "another worker goes on with it")
    print(f"done {seconds:.1f} s after the next worker was up")
    assert _counted(world) == (MANY, {}, "done")
    assert Counter(row[0] for row in world.sql(RETRIED)) == Counter(ids)
    lost = world.sql("SELECT kind FROM ledger.attempts WHERE outcome = 'lost'")
    assert [row.kind for row in lost] == ["operations.apply"]

    worker(world)
    world.until(lambda: not world.open_jobs(), "all that was retried is done")
    effects = world.sql("SELECT subject_id, count(*) AS count FROM chaos.effects GROUP BY 1")
    assert Counter(row.count for row in effects) == {1: MANY}
    assert world.value("SELECT count(*) FROM ledger.jobs WHERE state = 'succeeded' AND attempt = 1") == MANY + 1


def _failed(world: World) -> list[int]:
    """Enqueue jobs as the web tier, and have all of them fail alike; returns their ids."""
    with Session(world.web.engine) as db, db.begin():
        db.execute(text("SELECT nexara.act_for(:business)"), {"business": world.web.business})
        ids = enqueue_many(db, [Note(subject_id=uuid4()) for _ in range(MANY)])
    world.sql(ALL_FAIL, print=PRINT)
    return ids


def _ask_for_a_retry(world: World) -> None:
    engine = create_engine(world.dashboard_url, poolclass=NullPool)
    with engine.begin() as db:
        create(db, Actor("kim", Role.OPERATOR), Action.RETRY, JobFilter(failing=PRINT), why="the vendor is back")


def _counted(world: World) -> tuple[int, dict[str, int], str]:
    (row,) = world.sql("SELECT done, skipped, state FROM ledger.operations")
    return row.done, row.skipped, row.state
