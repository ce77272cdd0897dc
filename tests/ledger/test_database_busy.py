"""Locks that last and deadlocks: the world was briefly wrong, and no handler has a bug."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from time import monotonic, sleep
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from ledger.enqueue import enqueue
from tests.ledger.conftest import Ledger
from tests.ledger.kinds import Paint

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
PERSON = "INSERT INTO {}.people (business_id, id) VALUES (:business, :id)"


@pytest.fixture
def wall(ledger: Ledger) -> UUID:
    """A wall whose save writes a row of its id."""

    def save(db: Session, wall: UUID, answer: str) -> None:
        db.execute(text(PERSON.format("live")), {"business": ledger.business, "id": wall})

    ledger.script.save = save
    return uuid4()


@contextmanager
def in_the_way(ledger: Ledger, wall: UUID) -> Iterator[Connection]:
    """Write the same row in a transaction that is rolled back at the end of the block."""
    with ledger.admin.connect() as other:
        other.execute(text("SET deadlock_timeout = '30 s'"))  # not this side notices a deadlock
        other.execute(text(PERSON.format("nexara")), {"business": ledger.business, "id": wall})
        yield other
        other.rollback()


def test_a_lock_that_lasts_is_no_bug_and_is_tried_again_later(ledger: Ledger, wall: UUID) -> None:
    ledger.sql(f"ALTER ROLE nexara_worker IN DATABASE {ledger.admin.url.database} SET lock_timeout = '100ms'")
    ledger.worker.dispose()  # connections that do not know of it
    job_id = ledger.enqueue(Paint(wall_id=wall))
    with in_the_way(ledger, wall):
        (ended,) = ledger.run()
    assert (ended.state, ended.reason) == ("retryable", "database_busy")
    (tried,) = ledger.attempts(job_id)
    assert (tried.outcome, tried.error_code) == ("try_again", "sql_55p03")
    assert ledger.sql("SELECT count(*) FROM ledger.kept_answers") == 1


def test_the_victim_of_a_deadlock_saves_again_at_once(ledger: Ledger, wall: UUID) -> None:
    job_id = ledger.enqueue(Paint(wall_id=wall))
    (claimed,) = ledger.claimed()
    with in_the_way(ledger, wall) as other:
        runs = Thread(target=ledger.runner.run, args=[claimed])
        runs.start()
        until(lambda: ledger.sql(WAITING) == 1)
        other.execute(text("SELECT FROM ledger.jobs WHERE id = :id FOR UPDATE"), {"id": job_id})
    runs.join(20)
    assert (ledger.job(job_id).state, ledger.job(job_id).attempt) == ("succeeded", 1)
    assert ledger.attempts(job_id) == []
    assert ledger.script.calls == [wall]


def test_a_duplicate_of_a_transaction_that_stays_open_keeps_no_other_job_waiting(ledger: Ledger) -> None:
    wall = uuid4()
    joined, free = ledger.enqueue(Paint(wall_id=wall)), ledger.enqueue(Paint(wall_id=uuid4()))
    tokens = ledger.dispatched()
    with Session(ledger.web) as db, db.begin():
        assert enqueue(db, Paint(wall_id=wall), business_id=ledger.business) == joined
        began = monotonic()
        assert [job.id for job in ledger.claimed(tokens=tokens)] == [free]
        assert monotonic() - began < 2
    assert [job.id for job in ledger.claimed(tokens=tokens)] == [joined]


def until(what: Callable[[], bool]) -> None:
    end = monotonic() + 20
    while not what():
        assert monotonic() < end
        sleep(0.02)
