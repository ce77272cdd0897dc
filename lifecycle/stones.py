"""Tombstones as digests alone: what the journal keeps of them, and what a replay puts back."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select, text, union
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger import clock
from lifecycle.tombs import digests, identifiers
from lifecycle.walk import going, walk
from models.erasures import Erasure, Scope
from models.tombstones import Stone as Sort
from models.tombstones import Tombstone

DIGESTS = text("SELECT nexara.digests_v1(CAST(:identifiers AS text[]))")
AT_ONCE = 1000


class Stone(BaseModel):
    """One tombstone; `before` is the moment until which nothing of an identifier comes back, None for an event."""

    model_config = ConfigDict(frozen=True)

    digest: str
    before: datetime | None = None


def stones(db: Session, erasure: Erasure) -> Iterator[Stone]:
    """Yield the tombstones that an erasure is about to set; of a whole business none, as nothing is let in for it."""
    if erasure.scope is Scope.BUSINESS:
        return
    told: set[str] = set()
    for table, ids in going(db, walk(db, erasure)):
        found = [
            select(digest).where(table.c.id == func.any(list(ids)), digest.is_not(None)) for digest in digests(table)
        ]
        if found:
            told.update(db.scalars(union(*found)))
    for digest in sorted(told):
        yield Stone(digest=digest)
    before = erasure.confirmed_at or clock.now()
    for digest in sorted(db.scalars(DIGESTS, {"identifiers": sorted(identifiers(db, erasure))})):
        yield Stone(digest=digest, before=before)


def put_back(db: Session, business_id: UUID, set_then: Sequence[Stone]) -> None:
    """Set these tombstones anew, each once; a later moment stands."""
    for start in range(0, len(set_then), AT_ONCE):
        _put_back(db, business_id, set_then[start : start + AT_ONCE])


def _put_back(db: Session, business_id: UUID, some: Iterable[Stone]) -> None:
    made = insert(Tombstone).values(
        [
            {
                "business_id": business_id,
                "digest": each.digest,
                "sort": Sort.EVENT if each.before is None else Sort.IDENTIFIER,
                "event_before": each.before,
            }
            for each in some
        ]
    )
    later = func.greatest(Tombstone.event_before, made.excluded.event_before)
    db.execute(made.on_conflict_do_update(index_elements=["business_id", "digest"], set_={"event_before": later}))
