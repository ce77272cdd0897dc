"""When rows end though nobody asks, read off the data map: by age, the business's setting, its country's period."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, DateTime, Table, literal

from lifecycle.meant import TENANTS
from models.base import PlatformRow, Row
from models.data_map import CountryPeriod, Expires, Holds, TenantSays, Through
from models.entries import rows, table_of
from models.indexes import aged_by


@dataclass(frozen=True, slots=True)
class Ending:
    """A table whose rows end by themselves; `column` holds what tells when, and has an index."""

    table: Table
    column: str
    ends: Expires | TenantSays | CountryPeriod
    of_tenants: bool

    def over(self, as_of: datetime, setting: ColumnElement[object] | None = None) -> ColumnElement[bool]:
        """Say of a row that its time is over; `setting` is what the business set, where that is asked."""
        column = self.table.c[self.column]
        match self.ends:
            case Expires(after=after):
                return column < as_of - after
            case CountryPeriod():
                # Strictly: at midnight in London it is still the last day somewhere.
                return column < as_of.astimezone(UTC).date()
            case TenantSays():
                assert setting is not None  # noqa: S101 - whoever asks has read it
                # By the calendar, as the database counts years; an empty setting compares as unknown, and ends nothing.
                return column < literal(as_of, DateTime(timezone=True)) - setting


@cache
def endings() -> tuple[Ending, ...]:
    """List the tables whose rows end by themselves, children before their parents; the ledger prunes its own."""
    order = {table.key: place for place, table in enumerate(reversed(Row.metadata.sorted_tables))}
    return tuple(sorted(_endings(), key=lambda each: order[each.table.key]))


def _endings() -> Iterator[Ending]:
    for row in rows():
        table, ends = table_of(row), row.__life__.ends
        if table.schema != Row.metadata.schema or table is TENANTS:
            continue
        if isinstance(ends, Expires | TenantSays | CountryPeriod):
            column = aged_by(row.__life__)
            assert column is not None  # noqa: S101 - each of these three counts on a column
            yield Ending(table, column, ends, not issubclass(row, PlatformRow))


@cache
def tenant_tables() -> tuple[Table, ...]:
    """List the tables of the tenants' rows, parents before their children."""
    ours = {table_of(row).key for row in rows() if not issubclass(row, PlatformRow)}
    return tuple(table for table in Row.metadata.sorted_tables if table.key in ours)


def parts(table: Table) -> Iterator[tuple[Table, str]]:
    """Yield the tables whose rows end with a row of this one, and by which column."""
    for child, column, parent in throughs():
        if parent is table:
            yield child, column


@cache
def throughs() -> tuple[tuple[Table, str, Table], ...]:
    """List each way in which a row ends with another: its table, the column, and the other's table."""
    return tuple(
        (table_of(row), link.column, key.column.table)
        for row in rows()
        for link in row.__life__.links
        if isinstance(link, Through)
        for key in table_of(row).columns[link.column].foreign_keys
    )


def copies(table: Table) -> list[Column[Any]]:
    """List the columns that name a copy outside our tables, secrets left out: nobody reads one in order to count it."""
    return [column for column in table.columns if _names_a_copy(column.info["holds"])]


def _names_a_copy(holds: Holds) -> bool:
    return holds.outside and not holds.secret


def own_links(table: Table) -> list[str]:
    """List the columns by which a row points at an older one of its own table, which must not go before it."""
    found = [key.column_keys[-1] for key in table.foreign_key_constraints if key.referred_table is table]
    return sorted(found)
