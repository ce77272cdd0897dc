"""Rows end when the data map says so: those of one business, or the platform's own, in batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from models.base import PlatformRow, Row
from models.data_map import Expires, Through
from models.entries import rows, table_of

BATCH = 500


@dataclass(frozen=True, slots=True)
class Expiring:
    """A table whose rows end so long after that column, whoever they belong to."""

    table: Table
    since: str
    after: timedelta
    of_tenants: bool


def expiring() -> list[Expiring]:
    """List the tables whose rows expire by age, children before their parents; the ledger prunes its own."""
    order = {table.key: place for place, table in enumerate(reversed(Row.metadata.sorted_tables))}
    return sorted(_expiring(), key=lambda each: order[each.table.key])


def _expiring() -> Iterator[Expiring]:
    for row in rows():
        table, ends = table_of(row), row.__life__.ends
        if isinstance(ends, Expires) and table.schema == Row.metadata.schema:
            yield Expiring(table, ends.since, ends.after, not issubclass(row, PlatformRow))


def expire(db: Session, as_of: datetime, *, of_tenants: bool, batch: int = BATCH) -> bool:
    """Delete at most `batch` rows of each table that this transaction may see; returns whether there may be more."""
    more = False
    for each in expiring():
        if each.of_tenants is of_tenants:
            ended = select(each.table.c.id).where(each.table.c[each.since] < as_of - each.after).limit(batch)
            ids = db.scalars(ended).all()
            more = not _end(db, each.table, ids, batch) or len(ids) == batch or more
    return more


def _end(db: Session, table: Table, ids: Sequence[UUID], batch: int) -> bool:
    """Delete these rows, and before them what ends with them; returns whether all of that fitted into a batch."""
    if not ids:
        return True
    for part, column in _parts(table):
        theirs = db.scalars(select(part.c.id).where(part.c[column].in_(ids)).limit(batch)).all()
        if not _end(db, part, theirs, batch) or len(theirs) == batch:
            return False
    db.execute(delete(table).where(table.c.id.in_(ids)))
    return True


def _parts(table: Table) -> Iterator[tuple[Table, str]]:
    """Yield the tables whose rows end with a row of this one, and by which column."""
    for row in rows():
        for link in row.__life__.links:
            if isinstance(link, Through):
                for key in table_of(row).columns[link.column].foreign_keys:
                    if key.column.table is table:
                        yield table_of(row), link.column
