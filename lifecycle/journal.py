"""The journal of erasures: what is kept outside the database, so that a restored backup can be erased again.

It names rows by our own opaque ids and holds nobody's data: of an erasure what it was of, when it was confirmed, under
which map, and the ids that it meant. It lives as long as the longest-lived backup and a week.
"""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.erasures import Decision, Erasure, ErasureScope, Origin, Scope

PREFIX = "journal/"


class Meant(BaseModel):
    """One row that was meant, by its table and id."""

    model_config = ConfigDict(frozen=True)

    source: str
    row_id: UUID


class Entry(BaseModel):
    """One erasure, as the journal has it."""

    model_config = ConfigDict(frozen=True)

    business_id: UUID
    erasure_id: UUID
    scope: Scope
    origin: Origin
    root_id: UUID | None
    confirmed_at: datetime
    map: str
    meant: tuple[Meant, ...]

    @property
    def key(self) -> str:
        """Where it lies in the bucket."""
        return key_of(self.business_id, self.erasure_id)


def key_of(business_id: UUID, erasure_id: UUID) -> str:
    """Return the key of an erasure's entry."""
    return f"{PREFIX}{business_id}/{erasure_id}.json"


def entry_of(db: Session, erasure: Erasure, fingerprint: str) -> Entry:
    """Return the entry of a confirmed erasure; raises ValueError for one that is not."""
    if erasure.confirmed_at is None:
        raise ValueError("an erasure that nobody confirmed is not recorded")
    rows = db.execute(
        select(ErasureScope.source, ErasureScope.row_id)
        .where(ErasureScope.erasure_id == erasure.id, ErasureScope.decision == Decision.INCLUDE)
        .order_by(ErasureScope.source, ErasureScope.row_id)
    )
    return Entry(
        business_id=erasure.business_id,
        erasure_id=erasure.id,
        scope=erasure.scope,
        origin=erasure.origin,
        root_id=erasure.root_id,
        confirmed_at=erasure.confirmed_at,
        map=fingerprint,
        meant=tuple(Meant(source=source, row_id=row_id) for source, row_id in rows),
    )
