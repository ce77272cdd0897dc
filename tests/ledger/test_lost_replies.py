"""The answer to a COMMIT is lost with its connection: nobody knows how it ended, and doing it again does no harm."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from ledger.claim import claim
from ledger.errors import GiveUp, TryAgain
from ledger.run import Runner
from tests.ledger.conftest import Ledger
from tests.ledger.kinds import Count, Dry, Paint
from tests.ledger.lossy import LossyLine, lossy_line
from workers.wiring import engine as live_engine

LOAD, KEEP, SAVE = 1, 2, 3
STAMP, BODY = 1, 2


@pytest.fixture
def line(ledger: Ledger) -> Iterator[LossyLine]:
    port = ledger.worker.url.port
    assert port is not None
    with lossy_line(port) as line:
        yield line


@pytest.fixture
def unlucky(ledger: Ledger, line: LossyLine) -> Iterator[Runner]:
    """A runner whose connections go through the lossy line."""
    engine = through(ledger, line)
    yield Runner(ledger.registry, engine, object(), tell=ledger.told.append)
    engine.dispose()


def through(ledger: Ledger, line: LossyLine) -> Engine:
    return live_engine(ledger.worker.url.set(port=line.port).render_as_string(hide_password=False), 2)


@pytest.mark.parametrize("lost", [LOAD, KEEP, SAVE])
def test_a_vendor_job_ends_once_pays_once_and_spends_one_attempt(
    ledger: Ledger, line: LossyLine, unlucky: Runner, lost: int
) -> None:
    wall = uuid4()
    job_id = ledger.enqueue(Paint(wall_id=wall))
    (claimed,) = ledger.claimed()
    line.lose(lost)
    unlucky.run(claimed)
    assert line.lost == 1
    job = ledger.job(job_id)
    assert (job.state, job.attempt) == ("succeeded", 1)
    assert ledger.script.calls == [wall]
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE kind = 'walls.dry'") == 1
    assert ledger.attempts(job_id) == []


@pytest.mark.parametrize("lost", [STAMP, BODY])
def test_a_database_job_ends_once(ledger: Ledger, line: LossyLine, unlucky: Runner, lost: int) -> None:
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    (claimed,) = ledger.claimed()
    line.lose(lost)
    unlucky.run(claimed)
    assert line.lost == 1
    assert (ledger.job(job_id).state, ledger.job(job_id).attempt) == ("succeeded", 1)
    assert ledger.attempts(job_id) == []


@pytest.mark.parametrize("lost", [STAMP, BODY])
def test_a_batch_is_done_once_and_the_next_one_after_it(
    ledger: Ledger, line: LossyLine, unlucky: Runner, lost: int
) -> None:
    job_id = ledger.enqueue(Count(wall_id=uuid4()))
    (claimed,) = ledger.claimed()
    line.lose(lost)
    unlucky.run(claimed)
    assert line.lost == 1
    assert (ledger.job(job_id).state, ledger.job(job_id).cursor) == ("available", {"done": "batch1"})
    for _ in range(2):
        (claimed,) = ledger.claimed()
        unlucky.run(claimed)
    assert (ledger.job(job_id).state, ledger.job(job_id).attempt) == ("succeeded", 1)


@pytest.mark.parametrize(("error", "state"), [(TryAgain("down"), "retryable"), (GiveUp("unreadable"), "dead")])
def test_a_failure_is_recorded_once(
    ledger: Ledger, line: LossyLine, unlucky: Runner, error: Exception, state: str
) -> None:
    def fails(_: object) -> str:
        line.lose(1)
        raise error

    ledger.script.call = fails
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    (claimed,) = ledger.claimed()
    unlucky.run(claimed)
    assert line.lost == 1
    assert (ledger.job(job_id).state, ledger.job(job_id).attempt) == (state, 1)
    assert [attempt.attempt for attempt in ledger.attempts(job_id)] == [1]


def test_a_reservation_whose_answer_was_lost_is_nobodys_attempt(ledger: Ledger, line: LossyLine) -> None:
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    tokens = ledger.dispatched()
    engine = through(ledger, line)
    line.lose(1)
    with pytest.raises(Exception, match="server closed the connection"), engine.begin() as db:
        claim(db, ledger.me, ledger.registry.kinds, [], tokens)
    engine.dispose()
    assert ledger.claimed(tokens=tokens) == []
    job = ledger.job(job_id)
    assert (job.state, job.worker_id, job.attempt) == ("running", ledger.me, 0)
