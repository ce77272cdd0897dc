"""Rows end when the data map says so: those of one business, or the platform's own, in batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from models.base import PlatformRow, Row
from models.data_map import Expires
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
    full = False
    for each in expiring():
        if each.of_tenants is of_tenants:
            ended = select(each.table.c.id).where(each.table.c[each.since] < as_of - each.after).limit(batch)
            gone = db.execute(delete(each.table).where(each.table.c.id.in_(ended)).returning(each.table.c.id)).all()
            full = full or len(gone) == batch
    return full
