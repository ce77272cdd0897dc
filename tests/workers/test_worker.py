"""The worker process, on a real ledger, a real Redis and a real dispatcher beside it."""

from threading import Event
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.claimed import Ended
from ledger.enqueue import enqueue
from ledger.job import Registry
from ledger.payload import Payload
from ledger.watch import heartbeat
from tests.ledger.conftest import Ledger
from tests.ledger.kinds import Dry, Knock, Paint, Script, kinds
from tests.workers.conftest import until
from tests.workers.running import Start, dispatching, start, told

__all__ = ["dispatching", "start", "told"]


def put(ledger: Ledger, payloads: list[Payload]) -> None:
    with Session(ledger.web) as db, db.begin():
        for payload in payloads:
            enqueue(db, payload, business_id=ledger.business)


def states(ledger: Ledger) -> dict[str, int]:
    with ledger.admin.begin() as db:
        return {row[0]: row[1] for row in db.execute(text("SELECT state, count(*) FROM ledger.jobs GROUP BY 1"))}


def is_free(ledger: Ledger, job_id: int) -> bool:
    """Return whether a job is anybody's to take, with no attempt spent; the dispatcher may have picked it already."""
    job = ledger.job(job_id)
    return job.state in ("available", "dispatched") and (job.attempt, job.rescues) == (0, 0)


@pytest.mark.usefixtures("dispatching")
def test_plain_and_database_jobs_all_succeed_in_one_attempt(ledger: Ledger, start: Start, told: list[Ended]) -> None:
    put(ledger, [Knock(wall_id=uuid4()) for _ in range(200)] + [Dry(wall_id=uuid4()) for _ in range(50)])
    with start() as process:
        until(lambda: states(ledger) == {"succeeded": 250})
        until(lambda: process._intake.budget.held == 0)
    assert len(ledger.script.calls) == len(set(ledger.script.calls)) == 200
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE attempt <> 1 OR rescues <> 0") == 0
    assert ledger.sql("SELECT count(*) FROM ledger.attempts") == 0
    assert ledger.sql("SELECT count(*) FROM ledger.workers") == 0, "it signed off"
    assert {ended.state for ended in told} == {"succeeded"}


@pytest.mark.usefixtures("dispatching")
def test_a_set_is_shared_so_that_neither_a_slow_nor_a_deadly_job_keeps_the_others(ledger: Ledger, start: Start) -> None:
    entered, go_on = Event(), Event()

    def call(wall: UUID) -> str:
        if wall == slow:
            entered.set()
            assert go_on.wait(20)
        if wall == deadly:
            raise SystemExit
        return ""

    ledger.script.call = call
    walls = [uuid4() for _ in range(60)]
    slow, deadly = walls[0], walls[1]
    with ledger.worker.begin() as db:
        heartbeat(db, uuid4(), 80, [])  # of whose share this one takes enough
    with start(threads=2) as process:
        process._intake.budget.threads = 60  # as if its pace were fast: it claims more than it has threads
        put(ledger, [Knock(wall_id=wall) for wall in walls])
        assert entered.wait(20)
        until(lambda: states(ledger) == {"succeeded": 58, "running": 2})
        go_on.set()
        until(lambda: states(ledger) == {"succeeded": 59, "running": 1})
        until(lambda: process._intake.budget.held == 0)


@pytest.mark.usefixtures("dispatching")
def test_a_follow_up_is_run_without_anybody_else_ringing(ledger: Ledger, start: Start) -> None:
    put(ledger, [Paint(wall_id=uuid4())])
    with start():
        until(lambda: states(ledger) == {"succeeded": 2})


@pytest.mark.usefixtures("dispatching")
def test_a_plain_job_that_fails_is_told_and_tried_again(ledger: Ledger, start: Start, told: list[Ended]) -> None:
    def fails(wall: UUID) -> str:
        raise ValueError("+447700900123")

    ledger.script.call = fails
    job_id = ledger.enqueue(Knock(wall_id=uuid4()))
    with start() as process:
        until(lambda: ledger.job(job_id).state == "retryable")
        until(lambda: process._intake.budget.held == 0)
    assert [(ended.job_id, ended.state, ended.reason) for ended in told] == [(job_id, "retryable", "bug")]


@pytest.mark.usefixtures("dispatching")
def test_a_stopping_worker_finishes_what_runs_and_gives_back_what_it_has_not_begun(
    ledger: Ledger, start: Start
) -> None:
    entered, go_on = Event(), Event()

    def paint(wall: UUID) -> str:
        entered.set()
        assert go_on.wait(20)
        return "painted"

    ledger.script.call = paint
    first = ledger.enqueue(Paint(wall_id=uuid4()))
    with start(threads=1) as process:
        assert entered.wait(20)
        process._intake.budget.threads = 3  # as if its pace were fast: it holds two that no thread has begun
        with ledger.worker.begin() as db:
            heartbeat(db, uuid4(), 8, [])  # of whose share this one takes enough
        waiting = [ledger.enqueue(Paint(wall_id=uuid4())) for _ in range(2)]
        until(lambda: [ledger.job(job_id).state for job_id in waiting] == ["running", "running"])
        process.stop()
        until(lambda: process._intake.closed)
        go_on.set()
    assert ledger.job(first).state == "succeeded"
    assert all(is_free(ledger, job_id) for job_id in waiting)
    assert len(ledger.script.calls) == 1
    assert ledger.sql("SELECT count(*) FROM ledger.workers WHERE threads = 1") == 0


@pytest.mark.usefixtures("dispatching")
def test_what_does_not_end_in_time_is_given_back_unspent_and_cannot_save_any_more(
    ledger: Ledger, start: Start, told: list[Ended]
) -> None:
    entered, go_on = Event(), Event()

    def paint(wall: UUID) -> str:
        entered.set()
        assert go_on.wait(30)
        return "painted"

    ledger.script.call = paint
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    with start(threads=1, patience=0.2) as process:
        assert entered.wait(20)
    assert is_free(ledger, job_id)
    go_on.set()
    for thread in process._worker.workers:
        thread.join(20)
    assert [ended.state for ended in told] == ["moved_on"]
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE kind = 'walls.dry'") == 0


@pytest.mark.usefixtures("dispatching")
def test_a_kind_that_a_worker_does_not_know_waits_for_one_that_does(ledger: Ledger, start: Start) -> None:
    older = Registry()
    for job in kinds(Script()):
        if job.kind != Knock.kind:
            older.add(job)
    unknown = ledger.enqueue(Knock(wall_id=uuid4()))
    with start(older):
        known = ledger.enqueue(Dry(wall_id=uuid4()))
        until(lambda: ledger.job(known).state == "succeeded")
        until(lambda: ledger.job(unknown).state == "available")
        with start():
            until(lambda: ledger.job(unknown).state == "succeeded")
    assert ledger.job(unknown).attempt == 1
    assert ledger.job(unknown).rescues == 0


@pytest.mark.usefixtures("dispatching")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_can_complete_nothing_stops_by_itself(ledger: Ledger, start: Start) -> None:
    ledger.sql("REVOKE EXECUTE ON FUNCTION ledger.complete_many_v1(bigint[], integer[]) FROM nexara_worker")
    job_id = ledger.enqueue(Knock(wall_id=uuid4()))
    with start(patience=2) as process:
        assert process._stopping.wait(20)
    assert is_free(ledger, job_id)
