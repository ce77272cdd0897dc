"""Tombstones: digests of what is about to be erased, so that what a vendor sends late does not bring it back.

On a vendor's event and on a vendor's own id of a copy they stand for good; on a number or address, against what
happened before the erasure. They are written in the erasing job's transaction, while the rows are still there, and
last 45 days.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, String, Table, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import array, insert
from sqlalchemy.orm import Session

from ledger import clock
from lifecycle import walk as walking
from models.arriving import event_keys, key_of, vendor_refs
from models.base import TenantRow
from models.data_map import Category
from models.entries import rows, table_of
from models.erasures import ASKED, Decision, Erasure, ErasureScope, Scope
from models.tombstones import Stone, Tombstone

Going = Iterable[tuple[Table, Sequence[UUID]]]
"""Ids of rows that will go, table by table, in pieces; one may come twice."""

BURY = text("SELECT nexara.bury_v1(CAST(:identifiers AS text[]), :before)")
AT_ONCE = 1000


def bury(db: Session, erasure: Erasure, going: Going | None = None) -> None:
    """Put tombstones on what goes, by the erasure's walk if it is not given; as often as one likes, each stands once.

    An identifier is buried where somebody decided that it is meant, or where nobody who stays is reached by it. Of a
    whole business none is needed: nothing is let in for it any more.
    """
    told = walking.going(db, walking.walk(db, erasure)) if going is None else list(going)
    bury_events(db, erasure, told)
    bury_identifiers(db, erasure, None if going is None else told)


def bury_events(db: Session, erasure: Erasure, going: Going) -> None:
    """Put tombstones on these rows' events and vendors' ids."""
    if erasure.scope is not Scope.BUSINESS:
        for table, ids in going:
            _bury_events(db, erasure, table, ids)


def bury_identifiers(db: Session, erasure: Erasure, going: Going | None = None) -> None:
    """Put tombstones on what they are reached by, of all that goes at once: one may stand in several rows that go."""
    if erasure.scope is not Scope.BUSINESS:
        sought = sorted(identifiers(db, erasure, going))
        db.execute(BURY, {"identifiers": sought, "before": erasure.confirmed_at or clock.now()})


def identifiers(db: Session, erasure: Erasure, going: Going | None = None) -> set[str]:
    """Return what is theirs alone of what they are reached by, and what somebody decided is meant."""
    gone: defaultdict[Table, set[UUID]] = defaultdict(set)
    reaching = _reaching()
    for table, ids in walking.going(db, walking.walk(db, erasure), only=reaching) if going is None else going:
        if table in reaching:
            gone[table].update(ids)
    return _meant(db, erasure) | {value for table, ids in gone.items() for value in _theirs_alone(db, table, ids)}


def _bury_events(db: Session, erasure: Erasure, table: Table, ids: Sequence[UUID]) -> None:
    columns = list(digests(table))
    if not columns:
        return
    told = select(func.unnest(array(columns)).label("digest")).where(table.c.id == func.any(list(ids))).subquery()
    found = (
        select(
            literal(erasure.business_id, Tombstone.business_id.type),
            told.c.digest,
            literal(Stone.EVENT, Tombstone.sort.type),
        )
        .where(told.c.digest.is_not(None))
        .distinct()
    )
    buried = insert(Tombstone).from_select(["business_id", "digest", "sort"], found)
    db.execute(buried.on_conflict_do_nothing())


def digests(table: Table) -> Iterator[ColumnElement[str]]:
    """Yield what a vendor may still name a row of this table by."""
    for row in rows():
        if table_of(row) is table:
            yield from event_keys(row)
            yield from (cast(key_of(column), String) for column in vendor_refs(row))


def _reaching() -> dict[Table, Column[Any]]:
    """Return the tables that say what somebody is reached by, and the column that holds it."""
    found = {}
    for row in rows():
        if issubclass(row, TenantRow) and row.__life__.category is not Category.ENGINE:
            for column in table_of(row).columns:
                if column.info["kind"] == "Identifier":
                    found[table_of(row)] = column
    return found


def _meant(db: Session, erasure: Erasure) -> set[str]:
    asked = select(ErasureScope.value).where(
        ErasureScope.erasure_id == erasure.id,
        ErasureScope.decision == Decision.INCLUDE,
        ErasureScope.source != ASKED,
        ErasureScope.value.is_not(None),
    )
    return {value for value in db.scalars(asked) if value}


def _theirs_alone(db: Session, table: Table, ids: set[UUID]) -> Iterator[str]:
    """Yield what the rows that go say, leaving out what a row that stays says too."""
    column = _reaching()[table]
    going = list(ids)
    for start in range(0, len(going), AT_ONCE):
        values = db.scalars(select(column).where(table.c.id == func.any(going[start : start + AT_ONCE]))).all()
        shared = select(column).where(column == func.any(list(values)), table.c.id != func.all(going))
        yield from set(values) - set(db.scalars(shared))


__all__ = ["Going", "bury", "bury_events", "bury_identifiers", "digests", "identifiers"]
