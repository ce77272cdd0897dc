"""The dispatcher while little happens: it sleeps, and answers who knocks."""

import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from ledger.enqueue_many import enqueue_many
from sandbox.child import Child
from sandbox.stack import engine_environment
from tests.conftest import Database
from tests.ledger.conftest import Ledger
from tests.ledger.kinds import Dry
from tests.workers.conftest import until
from workers.bell import Bell
from workers.depth import SHALLOWEST
from workers.dispatcher import AWAKE, NAP

SOON = NAP * 0.6
"""Seconds: sooner than a dispatcher looks by itself that hears nobody."""


@pytest.fixture
def dispatcher(ledger: Ledger, database: Database, redis_url: str, tmp_path: Path) -> Iterator[Child]:
    """Run the process until the test ends; return once it sleeps."""
    env = {"DATABASE_URL": database.worker_url, "REDIS_URL": redis_url}
    log = tmp_path / "dispatcher.log"
    child = Child([sys.executable, "-m", "nexara", "dispatcher"], env=engine_environment(env), log=log, cwd=tmp_path)
    until(lambda: ledger.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"), 40)
    until(lambda: asleep(ledger))
    yield child
    child.stop()


def asleep(ledger: Ledger) -> bool:
    return bool(ledger.sql("SELECT asleep FROM ledger.bell"))


def waiting(bell: Bell) -> int:
    return sum(bell.depths("walls"))


def soon(bell: Bell, jobs: int) -> float:
    """Wait until so many jobs are in their list, and return after how many seconds they were."""
    since = monotonic()
    until(lambda: waiting(bell) == jobs, 5)
    return monotonic() - since


@pytest.mark.usefixtures("dispatcher")
def test_a_knock_now_and_then_is_answered_from_sleep(ledger: Ledger, bell: Bell) -> None:
    woken = 0
    for jobs in range(1, 11):
        sleep(2 * AWAKE)
        ledger.enqueue(Dry(wall_id=uuid4()))
        assert soon(bell, jobs) < SOON
        woken += not asleep(ledger)
    assert woken <= 5, "it may have been at one of its own rounds"


@pytest.mark.usefixtures("dispatcher")
def test_one_knock_for_many_brings_them_all(ledger: Ledger, bell: Bell) -> None:
    many = 3 * SHALLOWEST
    with Session(ledger.web) as db, db.begin():
        enqueue_many(db, [Dry(wall_id=uuid4()) for _ in range(many)], business_id=ledger.business)
    brought = 0
    while brought < many:
        _, tokens = bell.pop(["walls"], many, SOON)
        assert tokens, brought
        brought += len(tokens)


@pytest.mark.usefixtures("dispatcher")
def test_a_worker_that_rings_while_somebody_knocks_is_heard_too(ledger: Ledger, bell: Bell) -> None:
    for _ in range(3):
        before = waiting(bell)
        with ledger.admin.begin() as db:  # as a job's follow-up does, which knocks at nobody
            db.exec_driver_sql("SET LOCAL ROLE nexara_ledger")
            db.exec_driver_sql(
                "INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, max_attempts, "
                "give_up_at) VALUES ('walls.dry', 'walls', 3, gen_random_uuid(), 1, '{}', 'available', 8, now() + "
                "interval '1 day')"
            )
        bell.ring()
        ledger.enqueue(Dry(wall_id=uuid4()))
        assert soon(bell, before + 2) < SOON
