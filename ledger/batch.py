"""Many jobs as one batch, and what follows once when all of them have ended; inside the caller's transaction."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from ledger.enqueue import FOLLOW_UPS, enqueue
from ledger.enqueue_many import enqueue_many
from ledger.payload import Payload

OPEN = text(
    "SELECT ledger.open_batch_v1(CAST(:then AS jsonb), CAST(:if_succeeded AS jsonb), CAST(:if_died AS jsonb), "
    "CAST(:business_id AS uuid), CAST(:id AS uuid), CAST(:actor AS uuid))"
)
ADD = text("SELECT ledger.add_to_batch_v1(:id, CAST(:jobs AS bigint[]))")
SEAL = text("SELECT ledger.seal_batch_v1(:id)")
SEE = text("SELECT * FROM ledger.batch_v1(:id)")
MINE = text("SELECT * FROM ledger.my_batches_v1()")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a batch stands: `state` is open, sealed or complete; ends are counted within a second."""

    id: UUID
    business_id: UUID
    state: str
    members: int
    open: int
    succeeded: int
    dead: int
    cancelled: int
    discarded: int
    opened_at: datetime
    sealed_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch by its id, in one transaction: the caller's own, or that of a job of it."""

    db: Session
    id: UUID

    def enqueue(self, payload: Payload, **terms: Any) -> int:
        """Enqueue a job of this batch, as `ledger.enqueue` does; an open job of the same key joins it."""
        job_id = enqueue(self.db, payload, **terms)
        self.add([job_id])
        return job_id

    def enqueue_many(self, payloads: Iterable[Payload], **terms: Any) -> list[int]:
        """Enqueue jobs of this batch, as `ledger.enqueue_many` does."""
        ids = enqueue_many(self.db, payloads, **terms)
        self.add(ids)
        return ids

    def add(self, jobs: Sequence[int]) -> int:
        """Put jobs that are there into this batch; returns how many joined."""
        joined: int = self.db.execute(ADD, {"id": self.id, "jobs": f"{{{','.join(map(str, jobs))}}}"}).scalar_one()
        return joined

    def seal(self) -> None:
        """Take no more jobs but from the batch's own; without an open one it completes here."""
        self.db.execute(SEAL, {"id": self.id})
        # What follows may have been enqueued by this.
        self.db.info[FOLLOW_UPS] = self.db.info.get(FOLLOW_UPS, 0) + 1


def open_batch(
    db: Session,
    *,
    then: Payload | None = None,
    if_succeeded: Payload | None = None,
    if_died: Payload | None = None,
    business_id: UUID | None = None,
    batch_id: UUID | None = None,
    actor: UUID | None = None,
) -> Batch:
    """Open a batch that is filled and sealed later, in this transaction or in others.

    `then` is enqueued when all jobs have ended, `if_succeeded` only if each succeeded, `if_died` only if one is dead;
    at least one of them is given. Give `batch_id`, a new UUID, where what follows is to be told of its batch.
    """
    given = {
        "then": _stored(then),
        "if_succeeded": _stored(if_succeeded),
        "if_died": _stored(if_died),
        "business_id": business_id,
        "id": batch_id,
        "actor": actor,
    }
    return Batch(db, db.execute(OPEN, given).scalar_one())


@contextmanager
def batch(db: Session, **given: Any) -> Iterator[Batch]:
    """Open a batch as `open_batch` does, and seal it at the end of the block."""
    opened = open_batch(db, **given)
    yield opened
    opened.seal()


def my_batches(db: Session) -> list[Batch]:
    """Return the batches of the job whose transaction this is; it may add to them though they are sealed."""
    return [Batch(db, found) for found in db.execute(MINE).scalars()]


def stand(db: Connection | Session, batch_id: UUID) -> Standing:
    """Return how a batch of the transaction's own business stands."""
    return Standing(*db.execute(SEE, {"id": batch_id}).one())


def _stored(follows: Payload | None) -> str | None:
    return None if follows is None else json.dumps({"kind": follows.kind, "payload": follows.stored()})
