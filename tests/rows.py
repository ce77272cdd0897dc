"""Any row of any table, from the metadata alone: a new table is planted before anybody writes a test for it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, Column, Connection, Integer, Numeric, Table, Uuid, insert, select

from models.base import Row, TenantRow
from models.data_map import Finds, Holds
from models.entries import rows, table_of
from models.forms import CodeOf

NUMBERS = count(10_000_000)
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
VALUES: Mapping[str, Any] = {
    "Moment": AT,
    "Day": date(2026, 6, 1),
    "Period": timedelta(days=400),
    "Flag": False,
    "Money": Decimal("12.50"),
    "Currency": "EUR",
    "Country": "IE",
    "Zone": "Europe/Dublin",
    "Language": "en-IE",
    "IdList": [],
    "WordList": ["calendar.events"],
    "CutAddress": "192.0.2.0",
    "RawPayload": {"any": "thing"},
    "MapEntry": {},
}
BORN = ("salts",)
"""What the database writes with a business."""
LEFT = ("ended_at", "erasing_at", "erased_at", "keep_until")
UNIQUE = {
    "PhoneNumber": lambda n: f"+3538{n}",
    "LineNumber": lambda n: f"+3531{n}",
    "EmailAddress": lambda n: f"someone.{n}@example.com",
    "Digest": lambda n: f"{n:064x}",
    "KeyedDigest": lambda n: f"{n:064x}",
    "Identifier": lambda n: f"+3538{n}",
    "Needle": lambda n: f"{n}",
    "Word": lambda n: f"word-{n}",
}


def plant(db: Connection, business_id: UUID) -> dict[str, dict[str, Any]]:
    """Plant one row of each tenant table for a business, each with all its columns filled; return them by table.

    The connection must be one that row-level security does not bind.
    """
    planted: dict[str, dict[str, Any]] = {}
    businesses = Row.metadata.tables["nexara.businesses"]
    # It is with us: what happens to one that left is for those to say who ask.
    planted["businesses"] = values(businesses, {}) | dict.fromkeys(LEFT) | {"id": business_id}
    db.execute(insert(businesses).values(planted["businesses"]))
    users = Row.metadata.tables["nexara.users"]
    planted["users"] = values(users, {})
    db.execute(insert(users).values(planted["users"]))
    ours = {table_of(row).name for row in tenant_rows()}
    for table in Row.metadata.sorted_tables:
        if table.name not in ours or table.schema != Row.metadata.schema:
            continue
        # What the database wrote with the business, if triggers are on, stands already.
        born = select(table).where(table.c.business_id == business_id) if table.name in BORN else None
        there = db.execute(born).mappings().one_or_none() if born is not None else None
        planted[table.name] = dict(there) if there else values(table, planted) | {"business_id": business_id}
        if there is None:
            db.execute(insert(table).values(planted[table.name]))
    return planted


def tenant_rows() -> list[type[Row]]:
    """List the classes of rows that belong to a business."""
    return [row for row in rows() if issubclass(row, TenantRow)]


def platform_rows() -> list[type[Row]]:
    """List the classes of the platform's own rows, the ledger's left out."""
    ours = [row for row in rows() if table_of(row).schema == Row.metadata.schema]
    return [row for row in ours if not issubclass(row, TenantRow)]


def values(table: Table, planted: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a value for each column of a table; what points at a planted row points there."""
    told: dict[str, Any] = {column.name: value(column) for column in table.columns if column.name != "business_id"}
    for constraint in table.foreign_key_constraints:
        column, target = constraint.column_keys[-1], constraint.elements[-1].column
        if column != "business_id":
            told[column] = planted[target.table.name][target.name] if target.table is not table else None
    # A payload that is parsed is empty, and a seller's ids are of one business; the rest of the checks hold as it is.
    if "parsed_at" in told:
        told["parsed_at"] = None
    if {"opens", "closes"} <= told.keys():
        told |= {"opens": time(9), "closes": time(17)}
    return told


def value(column: Column[Any]) -> Any:
    """Return a value that a column takes."""
    kind, holds = column.info["kind"], column.info["holds"]
    assert isinstance(holds, Holds)
    number = next(NUMBERS)
    told: Any = f"{column.table.name}.{column.name} {number}"
    if kind in VALUES:
        told = VALUES[kind]
    elif kind in UNIQUE:
        told = UNIQUE[kind](number)
    elif isinstance(column.type, Uuid):
        told = uuid4()
    elif isinstance(column.type, CodeOf):
        told = next(iter(column.type.words))
    elif isinstance(column.type, Numeric):
        told = Decimal("0.5")
    elif isinstance(column.type, Integer):
        told = number
    elif isinstance(column.type, JSON):
        told = [] if kind == "Items" else {}
    elif holds.find is Finds.TEXT:
        told += f" call {UNIQUE['PhoneNumber'](number)}"
    return told
