"""Jobs that one thread runs one after the other: the message that commits one starts and begins the next."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger.claimed import Claimed
from ledger.job import Registry
from ledger.message import say
from ledger.run import Runner
from tests.ledger.conftest import Ledger
from tests.ledger.kinds import Count, Dry, Paint
from tests.ledger.lossy import LossyLine, lossy_line
from workers.wiring import engine as live_engine

BEGIN_AND_FIRST, NEXT, LAST = 1, 2, 3


@pytest.fixture
def jobs(ledger: Ledger) -> list[Claimed]:
    """Three jobs in the database, the second of another business."""
    for business in (ledger.business, ledger.other, ledger.business):
        ledger.enqueue(Dry(wall_id=uuid4()), business)
    return sorted(ledger.claimed(), key=lambda job: job.id)


Bodies = deque[Callable[[Session], Any]]


@pytest.fixture
def bodies() -> Bodies:
    """What the next jobs do, one after the other; nothing once there is no more."""
    return deque()


@pytest.fixture
def runner(ledger: Ledger, bodies: Bodies) -> Runner:
    """A runner of these."""
    registry = Registry()

    @registry.database_job(Dry)
    def dry(db: Session, payload: Dry) -> None:
        if bodies:
            bodies.popleft()(db)

    return replace(ledger.runner, registry=registry)


def states(ledger: Ledger, jobs: list[Claimed]) -> list[tuple[str, int]]:
    return [(row.state, row.attempt) for row in (ledger.job(job.id) for job in jobs)]


def one_after_the_other(runner: Runner, jobs: list[Claimed]) -> list[str]:
    rest = deque(jobs)
    ended = []
    with runner.line(lambda: rest.popleft() if rest else None) as line:
        while (job := line.move_on()) is not None:
            ended.append(runner.run(job, line).state)
    return ended


def test_a_commit_starts_and_begins_the_next_job_and_does_not_complete_it(
    ledger: Ledger, runner: Runner, jobs: list[Claimed]
) -> None:
    rest = deque(jobs)
    with runner.line(lambda: rest.popleft() if rest else None) as line:
        first = line.move_on()
        assert first is not None
        runner.run(first, line)
        assert line.has_begun(jobs[1])
        assert states(ledger, jobs) == [("succeeded", 1), ("running", 1), ("running", 0)]
    assert states(ledger, jobs)[1] == ("running", 1), "a thread that dies here has spent the attempt, and done nothing"
    assert [runner.run(job).state for job in jobs[1:]] == ["succeeded", "succeeded"]
    assert states(ledger, jobs) == [("succeeded", 1)] * 3


def test_each_of_them_is_its_own_business_s(
    ledger: Ledger, runner: Runner, jobs: list[Claimed], bodies: Bodies
) -> None:
    seen: list[Any] = []
    for _ in jobs:
        bodies.append(lambda db: seen.append(db.execute(text("SELECT id FROM live.businesses")).scalars().all()))
    assert one_after_the_other(runner, jobs) == ["succeeded"] * 3
    assert seen == [[ledger.business], [ledger.other], [ledger.business]]


def test_of_three_round_trips_a_job_one_is_left_beside_the_body_s_own(
    ledger: Ledger, runner: Runner, jobs: list[Claimed], bodies: Bodies
) -> None:
    asked: list[int] = []
    for _ in jobs:
        bodies.append(lambda db: asked.append(db.execute(text("SELECT pg_backend_pid()")).scalar_one()))
    port = ledger.worker.url.port
    assert port is not None
    with lossy_line(port) as counting:
        engine = live_engine(ledger.worker.url.set(port=counting.port).render_as_string(hide_password=False), 1)
        with engine.connect():
            before = counting.messages
        assert one_after_the_other(replace(runner, engine=engine), jobs) == ["succeeded"] * 3
        engine.dispose()
    assert len(set(asked)) == 1
    assert counting.messages - before - 1 == 1 + 2 * len(jobs), "the last one is the farewell"


def raises(_: Session) -> None:
    raise ValueError("a bug")


def test_one_that_fails_takes_no_other_with_it(
    ledger: Ledger, runner: Runner, jobs: list[Claimed], bodies: Bodies
) -> None:
    bodies.extend([lambda db: None, raises])
    assert one_after_the_other(runner, jobs) == ["succeeded", "retryable", "succeeded"]
    assert states(ledger, jobs) == [("succeeded", 1), ("retryable", 1), ("succeeded", 1)]


def test_one_that_is_another_s_by_now_takes_no_other_with_it(
    ledger: Ledger, runner: Runner, jobs: list[Claimed]
) -> None:
    ledger.sql("UPDATE ledger.jobs SET fence = fence + 1 WHERE id = :id", id=jobs[1].id)
    assert one_after_the_other(runner, jobs) == ["succeeded", "moved_on", "succeeded"]
    assert states(ledger, jobs) == [("succeeded", 1), ("running", 0), ("succeeded", 1)]


def test_one_that_went_on_after_a_failed_statement_is_not_taken_for_done(
    ledger: Ledger, runner: Runner, jobs: list[Claimed], bodies: Bodies
) -> None:
    def swallows(db: Session) -> None:
        with pytest.raises(DBAPIError):
            db.execute(text("SELECT 1 / 0"))

    bodies.append(swallows)
    assert one_after_the_other(runner, jobs) == ["retryable", "succeeded", "succeeded"]
    assert states(ledger, jobs) == [("retryable", 1), ("succeeded", 1), ("succeeded", 1)]


@pytest.fixture
def locked(ledger: Ledger, jobs: list[Claimed]) -> Iterator[Any]:
    """Somebody's lock on the second job's row."""
    with ledger.admin.connect() as db:
        db.execute(text("SELECT FROM ledger.jobs WHERE id = :id FOR UPDATE"), {"id": jobs[1].id})
        yield db


def test_a_start_that_would_have_to_wait_spends_nothing_and_waits_by_itself(
    ledger: Ledger, runner: Runner, jobs: list[Claimed], locked: Any, bodies: Bodies
) -> None:
    with ledger.worker.connect() as db, pytest.raises(DBAPIError, match="lock timeout"):
        say(db, "BEGIN", f"SELECT ledger.start_at_once_v1({jobs[1].id}, {jobs[1].fence})", "COMMIT")
    rest = deque(jobs)
    with runner.line(lambda: rest.popleft() if rest else None) as line:
        first = line.move_on()
        assert first is not None
        assert runner.run(first, line).state == "succeeded"
        assert not line.has_begun(jobs[1])
        locked.rollback()
        assert states(ledger, jobs) == [("succeeded", 1), ("running", 0), ("running", 0)]
        while (job := line.move_on()) is not None:
            runner.run(job, line)
    assert states(ledger, jobs) == [("succeeded", 1)] * 3


def test_an_unheard_worker_begins_no_next_one(ledger: Ledger, runner: Runner, jobs: list[Claimed]) -> None:
    heard = iter([True, False, False, False])
    deaf = replace(runner, heard=lambda: next(heard))
    assert one_after_the_other(deaf, jobs) == ["succeeded", "available", "available"]
    assert states(ledger, jobs) == [("succeeded", 1), ("available", 0), ("available", 0)]


def test_one_that_is_to_be_cancelled_is_not_begun(ledger: Ledger, runner: Runner, jobs: list[Claimed]) -> None:
    stopped = replace(runner, cancelled=lambda job_id: job_id == jobs[1].id)
    assert one_after_the_other(stopped, jobs) == ["succeeded", "cancelled", "succeeded"]


def test_jobs_of_every_shape_may_follow_each_other(ledger: Ledger) -> None:
    for payload in (Dry, Paint, Count, Dry):
        ledger.enqueue(payload(wall_id=uuid4()))
    jobs = sorted(ledger.claimed(), key=lambda job: job.id)
    assert one_after_the_other(ledger.runner, jobs) == ["succeeded", "succeeded", "available", "succeeded"]


@pytest.fixture
def unsure(ledger: Ledger) -> Iterator[LossyLine]:
    port = ledger.worker.url.port
    assert port is not None
    with lossy_line(port) as line:
        yield line


@pytest.mark.parametrize("lost", [BEGIN_AND_FIRST, NEXT, LAST])
def test_a_lost_answer_leaves_each_done_once(
    ledger: Ledger, runner: Runner, jobs: list[Claimed], unsure: LossyLine, lost: int, bodies: Bodies
) -> None:
    def writes(db: Session) -> None:
        db.execute(text("INSERT INTO live.people (business_id) VALUES (nexara.scope())"))

    bodies.extend([writes] * 9)
    engine = live_engine(ledger.worker.url.set(port=unsure.port).render_as_string(hide_password=False), 2)
    unsure.lose(lost)
    one_after_the_other(replace(runner, engine=engine), jobs)
    engine.dispose()
    assert unsure.lost == 1
    assert states(ledger, jobs) == [("succeeded", 1)] * 3
    assert ledger.sql("SELECT count(*) FROM nexara.people") == 3


def test_what_fails_takes_another_connection_and_waits_for_nothing_of_its_own(
    ledger: Ledger, runner: Runner, jobs: list[Claimed], bodies: Bodies
) -> None:
    """With one connection in the pool, a line that was kept would be waited for."""
    engine = live_engine(ledger.worker.url.render_as_string(hide_password=False), 1)
    bodies.extend([lambda db: None, raises, raises])
    assert one_after_the_other(replace(runner, engine=engine), jobs) == ["succeeded", "retryable", "retryable"]
    engine.dispose()
