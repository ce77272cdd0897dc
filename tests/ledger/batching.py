"""Batches in tests: opened as the web tier, ended by workers, settled as a dispatcher does."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger.batch import batch, stand
from ledger.claim import complete_many
from ledger.dispatch import settle_batches
from ledger.errors import GiveUp
from tests.ledger.kinds import Dry

THEN, GOOD, BAD = (Dry(wall_id=UUID(int=n)) for n in (1, 2, 3))
HOUSE = UUID(int=0)


def made(web: Any, *payloads: Any, **follow: Any) -> tuple[UUID, list[int]]:
    """Enqueue a sealed batch; return its id and its jobs."""
    with web() as db, batch(db, **(follow or {"then": THEN})) as opened:
        return opened.id, [opened.enqueue(payload) for payload in payloads]


def settle(ledger: Any) -> int:
    """Take up all that there is, as the dispatcher does."""
    settled = 0
    while True:
        with ledger.worker.begin() as db:
            more = settle_batches(db)
        if not more:
            return settled
        settled += more


def followed(ledger: Any, batch_id: UUID) -> dict[str, list[int]]:
    """Return the jobs that followed, by the wall that says which of the three they are."""
    found: dict[str, list[int]] = {"then": [], "good": [], "bad": []}
    with ledger.admin.begin() as db:
        rows = db.execute(text("SELECT id, payload ->> 'wall_id' AS wall FROM ledger.jobs WHERE kind = 'walls.dry'"))
        for row in rows:
            if UUID(row.wall).int in (1, 2, 3):
                found[("then", "good", "bad")[UUID(row.wall).int - 1]].append(row.id)
        told = db.execute(text("SELECT job_id FROM ledger.batch_follow_ups WHERE batch_id = :id"), {"id": batch_id})
        assert {row.job_id for row in told if row.job_id} == {job for jobs in found.values() for job in jobs}
    return found


def see(ledger: Any, batch_id: UUID) -> Any:
    with ledger.worker.begin() as db:
        return stand(db, batch_id)


def counts(ledger: Any, batch_id: UUID) -> tuple[int, int, int, int, int]:
    now = see(ledger, batch_id)
    return now.open, now.succeeded, now.dead, now.cancelled, now.discarded


def kept(ledger: Any, batch_id: UUID) -> Any:
    with ledger.admin.begin() as db:
        return db.execute(text("SELECT * FROM ledger.batches WHERE id = :id"), {"id": batch_id}).one()


def refused(action: Any) -> tuple[str, str]:
    with pytest.raises(DBAPIError) as caught:
        action()
    diagnosis = caught.value.orig
    return diagnosis.sqlstate, diagnosis.diag.message_primary  # type: ignore[union-attr]


def completed_as_a_set(ledger: Any, *_: object) -> None:
    (held,) = ledger.claimed("knocks")
    with ledger.worker.begin() as db:
        complete_many(db, [(held.id, held.fence)])


def gives_up(ledger: Any, *_: object) -> None:
    def fails(_: Any) -> str:
        raise GiveUp("hopeless")

    ledger.script.call = fails
    ledger.run()
