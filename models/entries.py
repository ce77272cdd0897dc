"""The data map as plain entries: a table, a column, a place outside our tables; and the map's fingerprint."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import JSON, Column, Table
from sqlalchemy.dialects import postgresql

from models.base import Row, TenantRow
from models.elsewhere import PLACES
from models.map_rows import Entry

PROSE = {("NoOne", "because"), ("Never", "because"), ("Holds", "what"), ("Place", "what"), ("Place", "proof")}
"""What explains and decides nothing: it may be put better without making another map."""

Says = dict[str, Any]


def entries() -> dict[str, tuple[Entry, Says]]:
    """Return every entry by its name, as `schema.table`, `schema.table.column` or the name of the place."""
    found: dict[str, tuple[Entry, Says]] = {}
    for row in rows():
        table = table_of(row)
        found[table.fullname] = (Entry.TABLE, _table(row))
        for column in table.columns:
            found[f"{table.fullname}.{column.name}"] = (Entry.COLUMN, _column(column))
    for place in PLACES:
        found[place.name] = (Entry.ELSEWHERE, plain(place))
    return dict(sorted(found.items()))


def rows() -> list[type[Row]]:
    """List the class of every table that is in the metadata, by the table's full name."""
    known = Row.metadata.tables.values()
    mapped: Iterable[type[Row]] = (each.class_ for each in Row.registry.mappers)
    # A class that was refused is in the registry all the same; its table is not in the metadata.
    return sorted((row for row in mapped if table_of(row) in known), key=lambda row: table_of(row).fullname)


def table_of(row: type[Row]) -> Table:
    """Return the table of a class."""
    table = row.__table__
    assert isinstance(table, Table)  # noqa: S101 - a row is never mapped to a join
    return table


def fingerprint(said: dict[str, tuple[Entry, Says]]) -> str:
    """Return the SHA-256 of the map's canonical JSON: the same for the same decisions, whatever the order."""
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def canonical(said: dict[str, tuple[Entry, Says]]) -> str:
    """Return the map as JSON: sorted, without spaces."""
    return json.dumps({name: says for name, (_, says) in said.items()}, sort_keys=True, separators=(",", ":"))


def plain(value: Any) -> Any:
    """Turn what the map's words say into JSON; a span becomes its seconds."""
    if is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        told = {each.name: getattr(value, each.name) for each in fields(value) if (name, each.name) not in PROSE}
        return {"is": name} | {key: plain(each) for key, each in told.items() if each is not None}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    return value if value is None or isinstance(value, bool | int) else str(value)


def _table(row: type[Row]) -> Says:
    life: Says = plain(row.__life__)
    del life["is"]
    return life | {
        "tenant": issubclass(row, TenantRow),
        "visible": row.__visible__,
        "enters": row.__enters__,
        "web": plain(row.__web__),
        "job": plain(row.__job__),
    }


def _column(column: Column[Any]) -> Says:
    holds: Says = plain(column.info["holds"])
    del holds["is"]
    if not isinstance(column.type, JSON):
        holds.pop("check", None)  # of JSON it says which keys there may be, and another key is another map
    told = {key: value for key, value in column.info.items() if key != "holds"}
    return holds | told | {"type": type_of(column), "nullable": bool(column.nullable)}


def type_of(column: Column[Any]) -> str:
    """Return the type as PostgreSQL's own catalog writes it."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return column.type.compile(dialect=dialect).lower().replace(", ", ",")
