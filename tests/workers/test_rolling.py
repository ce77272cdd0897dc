"""Two releases side by side: one knows a kind, a field or a time-out that the other does not, and nothing is lost."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest

from ledger.claimed import Ended
from ledger.contract import publish, row
from ledger.job import Job, Registry
from ledger.payload import Payload, Terms
from tests.ledger.conftest import Ledger
from tests.ledger.kinds import Dry, Knock
from tests.workers.conftest import until
from tests.workers.test_worker import Start, dispatching, put, start, states, told
from workers.bell import Bell
from workers.intake import STRANGE_REST
from workers.worker import WorkerProcess

__all__ = ["dispatching", "start", "told"]
MANY = 60
A_WHILE = 4.0  # seconds
RUNG = "SELECT coalesce(sum(fence), 0) FROM ledger.jobs WHERE kind = 'walls.dry'"


class Varnished(Payload):
    """Follow the paint; the next release may varnish it."""

    kind: ClassVar[str] = "walls.dry"
    terms: ClassVar[Terms] = Terms(queue="walls", timeout=timedelta(minutes=7))

    wall_id: UUID
    varnish: bool | None = None


def without(registry: Registry, kind: str) -> Registry:
    """Return the registry of a release that does not have a kind yet."""
    older = Registry()
    for job in registry:
        if job.kind != kind:
            older.add(job)
    return older


@pytest.fixture
def old(ledger: Ledger) -> Registry:
    return without(ledger.registry, "walls.dry")


@pytest.fixture
def varnished(ledger: Ledger) -> tuple[Registry, list[bool | None]]:
    """The next release, which has been migrated to: a kind has one more field and another time-out."""
    newer, seen = without(ledger.registry, "walls.dry"), []
    newer.add(Job(Varnished, in_database=lambda _, payload: seen.append(payload.varnish)))
    with ledger.admin.begin() as db:
        publish(db, newer)
    return newer, seen


def known(ledger: Ledger, count: int) -> Callable[[], bool]:
    """Whether the ledger has heard of so many living workers."""
    alive = "SELECT count(*) FROM ledger.workers WHERE heartbeat_at > clock_timestamp() - interval '3 s'"
    return lambda: bool(ledger.sql(alive) == count)


@pytest.mark.usefixtures("dispatching")
def test_a_kind_that_nobody_alive_knows_waits_and_is_not_rung_for(ledger: Ledger, start: Start, old: Registry) -> None:
    with start(old):
        until(known(ledger, 1))
        put(ledger, [Dry(wall_id=uuid4()) for _ in range(MANY)] + [Knock(wall_id=uuid4()) for _ in range(MANY)])
        until(lambda: states(ledger).get("succeeded") == MANY)
        time.sleep(A_WHILE)
        assert states(ledger) == {"succeeded": MANY, "available": MANY}
        assert ledger.sql(RUNG) == 0
        with start():
            until(lambda: states(ledger) == {"succeeded": 2 * MANY})
    assert ledger.sql("SELECT max(attempt) FROM ledger.jobs") == 1
    assert ledger.sql("SELECT count(*) FROM ledger.attempts") == 0


def test_what_was_rung_for_before_the_new_worker_went_is_refused_once_and_waits(
    ledger: Ledger, bell: Bell, rung: Callable[..., list[int]], start: Start, old: Registry, request: Any
) -> None:
    rung(*(Dry(wall_id=uuid4()) for _ in range(MANY)))
    before = ledger.sql(RUNG)
    with start(old):
        request.getfixturevalue("dispatching")
        until(lambda: states(ledger) == {"available": MANY})
        time.sleep(A_WHILE)
        assert states(ledger) == {"available": MANY}
        assert ledger.sql(RUNG) == before + MANY, "each was refused once, and rung for no more"
        with start():
            until(lambda: states(ledger) == {"succeeded": MANY})


@pytest.mark.usefixtures("dispatching")
def test_beside_a_new_worker_an_old_one_swallows_nothing(ledger: Ledger, start: Start, old: Registry) -> None:
    with start(old), start():
        until(known(ledger, 2))
        began = time.monotonic()
        put(ledger, [Dry(wall_id=uuid4()) for _ in range(MANY)] + [Knock(wall_id=uuid4()) for _ in range(MANY)])
        until(lambda: states(ledger) == {"succeeded": 2 * MANY})
        seconds = time.monotonic() - began
    # Dispatched, claimed, saved: three arrows each. What the old one popped and refused costs two more, a set a rest.
    refused = (ledger.sql(RUNG) - 3 * MANY) / 2
    print(f"{refused:.0f} of {MANY} were refused, in {seconds:.1f} s")
    sets = 1 + seconds / STRANGE_REST
    assert refused <= sets * MANY
    assert ledger.sql("SELECT max(attempt) FROM ledger.jobs") == 1
    assert ledger.sql("SELECT count(*) FROM ledger.attempts") == 0


@pytest.mark.usefixtures("dispatching")
def test_a_field_that_an_old_worker_cannot_read_waits_for_a_new_one_unspent(
    ledger: Ledger, start: Start, varnished: tuple[Registry, list[bool | None]], told: list[Ended]
) -> None:
    newer, seen = varnished
    with start():  # which has the kind as it was
        put(ledger, [Varnished(wall_id=uuid4(), varnish=True), Varnished(wall_id=uuid4())])
        until(lambda: states(ledger) == {"succeeded": 1, "retryable": 1})
    (unread,) = [ended for ended in told if ended.state == "retryable"]
    assert unread.reason == "payload_unread"
    assert ledger.job(unread.job_id).attempt == 0
    assert ledger.sql("SELECT run_at - now() > interval '20 s' FROM ledger.jobs WHERE state = 'retryable'")
    ledger.sql("UPDATE ledger.jobs SET run_at = now() WHERE state = 'retryable'")
    with start(newer):
        until(lambda: states(ledger) == {"succeeded": 2})
    assert (seen, ledger.job(unread.job_id).attempt) == ([True], 1)


@pytest.mark.usefixtures("dispatching")
def test_a_deadline_is_that_of_the_newest_release_whoever_runs_the_job(
    ledger: Ledger, start: Callable[..., AbstractContextManager[WorkerProcess]], varnished: tuple[Registry, list[Any]]
) -> None:
    assert row(ledger.registry["walls.dry"])["timeout_s"] == 60
    with start():
        put(ledger, [Dry(wall_id=uuid4())])
        until(lambda: states(ledger) == {"succeeded": 1})
    stamped = "SELECT deadline_at - started_at FROM ledger.jobs"
    assert abs(ledger.sql(stamped) - timedelta(minutes=7)) < timedelta(seconds=1)
