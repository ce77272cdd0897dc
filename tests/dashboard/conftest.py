"""The dashboard over a real ledger, as its real role, and somebody who is signed in."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboard.app import create_app
from ledger import clock
from ledger.enqueue import enqueue
from ledger.errors import GiveUp, Misconfigured, TryAgain
from ledger.operate import discard
from ledger.outcome import Cancel
from models.ledger import State
from models.operators import Role
from tests.dashboard.people import HERE, PASSWORD, USER, signed_in
from tests.ledger.conftest import Ledger, ledger
from tests.ledger.kinds import Dry, Paint

__all__ = ["HERE", "PASSWORD", "USER", "ledger"]


@pytest.fixture
def engine(database) -> Iterator[Engine]:
    engine = create_engine(database.dashboard_url)
    yield engine
    engine.dispose()


@pytest.fixture
def app(ledger, engine) -> Starlette:
    return create_app(engine, environment="staging", secret=b"s" * 32)


@pytest.fixture
def browser(app) -> Iterator[TestClient]:
    """An admin who is signed in."""
    with signed_in(app) as client:
        yield client


@pytest.fixture
def viewer(app) -> Iterator[TestClient]:
    """A viewer who is signed in."""
    with signed_in(app, "vic", Role.VIEWER) as client:
        yield client


@pytest.fixture
def jobs(ledger) -> dict[State, int]:
    """A job in every state, each brought there by the ledger itself."""
    return every_state(ledger)


def every_state(ledger: Ledger) -> dict[State, int]:
    failing = {
        State.RETRYABLE: TryAgain("vendor_down", "The vendor did not answer."),
        State.DEAD: GiveUp("no_such_wall", "There is no such wall."),
        State.SUCCEEDED: None,
    }
    jobs = {}
    for state, error in failing.items():
        jobs[state] = ledger.enqueue(Paint(wall_id=uuid4()))
        ledger.script.call = _raise(error) if error else lambda _: "painted"
        ledger.run()
    ledger.run()  # what the succeeded one enqueued
    jobs[State.CANCELLED] = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.script.load = lambda *_: Cancel("wall_was_torn_down")
    ledger.run()
    jobs[State.DISCARDED] = ledger.enqueue(Paint(wall_id=uuid4()))
    with ledger.admin.begin() as db:
        discard(db, jobs[State.DISCARDED])
    jobs[State.PARKED] = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.script.load = lambda _, wall: wall
    ledger.script.call = _raise(Misconfigured("no_key", "The vendor refused our key.", setting="PAINT_KEY"))
    ledger.run()  # from here on its kind is paused
    jobs[State.RUNNING] = ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.claimed()
    jobs[State.DISPATCHED] = ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.dispatched()
    jobs[State.AVAILABLE] = ledger.enqueue(Dry(wall_id=uuid4()))
    with Session(ledger.web) as db, db.begin():
        later = clock.now() + timedelta(hours=3)
        jobs[State.SCHEDULED] = enqueue(db, Dry(wall_id=uuid4()), business_id=ledger.business, run_at=later)
    assert {state: State(ledger.job(job_id).state) for state, job_id in jobs.items()} == {s: s for s in State}
    return jobs


def _raise(error):
    def call(_):
        raise error

    return call
