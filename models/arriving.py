"""Which columns tell what a vendor sent: the key of its event, or its own id of a copy."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, func, literal

from models.base import Row, TenantRow
from models.data_map import NoOne
from models.entries import table_of

EVENT_KEY = "event_key"


def event_keys(row: type[Row]) -> Iterator[Column[Any]]:
    """Yield the columns of a table that hold the digest of a vendor's event, if its rows concern somebody.

    The meter's do not: it keeps the keys of what was erased, so that nothing is billed twice.
    """
    if _concerns_somebody(row):
        yield from (
            column for column in table_of(row).columns if column.name == EVENT_KEY and _kind(column) == "Digest"
        )


def vendor_refs(row: type[Row]) -> Iterator[Column[Any]]:
    """Yield the columns of a table that hold a vendor's id of a copy of somebody's."""
    if _concerns_somebody(row):
        yield from (column for column in table_of(row).columns if _kind(column) == "VendorRef")


def vendor_of(column: Column[Any]) -> str:
    """Return the vendor whose id a column holds; `=carrier` where the column `carrier` of the row names it."""
    info = column.info
    return f"={info['at_in']}" if "at_in" in info else str(info["at"])


def key_of(column: Column[Any]) -> ColumnElement[str]:
    """Return the key of what a vendor's own id stands for, in SQL."""
    vendor = vendor_of(column)
    table: Any = column.table
    assert isinstance(table, Table)  # noqa: S101 - a mapped column is of a table
    named = table.c[vendor[1:]] if vendor.startswith("=") else literal(vendor)
    return func.nexara.event_key_v1(named, column)


def _concerns_somebody(row: type[Row]) -> bool:
    return issubclass(row, TenantRow) and not any(isinstance(link, NoOne) for link in row.__life__.links)


def _kind(column: Column[Any]) -> str:
    return str(column.info["kind"])
