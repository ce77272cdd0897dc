"""The journal of erasures: what is kept outside the database, so that a restored backup can be erased again.

It names rows by our own opaque ids and holds nobody's data: of an erasure what it was of, when it was confirmed, under
which map, and the ids that it meant. It lives as long as the longest-lived backup and a week.

What somebody is reached by is not in it: a restored backup has that again, in the rows that the entry names, and it is
read there before they go. Tombstones are in it, as the digests that they are: keyed with a salt that the journal does
not have, they keep out what is younger than the backup too.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from lifecycle.known import known, ways
from lifecycle.paths import among
from lifecycle.stones import Stone, stones
from models.data_map import Who
from models.erasures import Decision, Erasure, ErasureScope, Evidence, Origin, Scope

PREFIX = "journal/"
SPARE = timedelta(days=7)
"""How long an entry outlives the last backup that may still have what was erased."""


class Meant(BaseModel):
    """One row that was meant, by its table and id; `sought` is whether what stands in it was looked for elsewhere."""

    model_config = ConfigDict(frozen=True)

    source: str
    row_id: UUID
    sought: bool


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
    stones: tuple[Stone, ...] = ()

    @property
    def key(self) -> str:
        """Where it lies in the bucket."""
        return key_of(self.business_id, self.erasure_id)


def key_of(business_id: UUID, erasure_id: UUID) -> str:
    """Return the key of an erasure's entry."""
    return f"{PREFIX}{business_id}/{erasure_id}.json"


def erasure_of(key: str) -> UUID | None:
    """Return whose entry lies under a key; None for what is no entry's."""
    try:
        return UUID(key.rpartition("/")[2].removesuffix(".json"))
    except ValueError:
        return None


def entry_of(db: Session, erasure: Erasure, fingerprint: str) -> Entry:
    """Return the entry of a confirmed erasure; raises ValueError for one that is not."""
    if erasure.confirmed_at is None:
        raise ValueError("an erasure that nobody confirmed is not recorded")
    rows = db.execute(
        select(ErasureScope.source, ErasureScope.row_id, ErasureScope.value.is_not(None))
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
        meant=tuple(Meant(source=source, row_id=row_id, sought=sought) for source, row_id, sought in rows),
        stones=tuple(stones(db, erasure)),
    )


def scope_of(db: Session, entry: Entry) -> Iterator[ErasureScope]:
    """Yield the rows of an entry's scope, with what a restored backup says that they are reached by."""
    told = _told(db, entry)
    for meant in entry.meant:
        yield ErasureScope(
            business_id=entry.business_id,
            erasure_id=entry.erasure_id,
            source=meant.source,
            row_id=meant.row_id,
            value=told.get((meant.source, meant.row_id)) if meant.sought else None,
            evidence=Evidence.ASKED,
            decision=Decision.INCLUDE,
        )


def _told(db: Session, entry: Entry) -> dict[tuple[str, UUID], str]:
    found = {}
    for who in (Who.PERSON, Who.MEMBER):
        humans = [each.row_id for each in entry.meant if each.source == who]
        found.update({(each.source, each.row_id): each.value for each in known(db, who, humans)})
        for way in ways(who):
            ids = [each.row_id for each in entry.meant if each.source == way.table.name]
            asked = select(way.table.c.id, way.value).where(among(way.table, "id", ids), way.value.is_not(None))
            found.update({(way.table.name, row_id): value for row_id, value in db.execute(asked)})
    return found
