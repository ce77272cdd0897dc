"""How tables hang together by what they say: what ends with what, who shares what, what says who somebody is."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Column, ColumnElement, Table, Uuid, any_, literal

from models.base import PlatformRow, Row, TenantRow
from models.data_map import About, LastOut, May, Through, Who, WithParent
from models.entries import rows, table_of


def among(table: Table, column: str, ids: Sequence[UUID]) -> ColumnElement[bool]:
    """Return the condition that a column holds one of these ids: one array, so that the statement goes by the index."""
    return table.c[column] == any_(literal(list(ids), ARRAY(Uuid())))


def parts(table: Table) -> Iterator[tuple[Table, str, bool]]:
    """Yield the tables whose rows end with a row of this one, by which column, and whether they are made from it."""
    for row in rows():
        for link in row.__life__.links:
            if isinstance(link, Through) and target_of(table_of(row), link.column) is table:
                yield table_of(row), link.column, link.derived


def parents(row: type[Row]) -> Iterator[tuple[str, Table]]:
    """Yield the columns by which a row ends with another one, and that one's table."""
    for link in row.__life__.links:
        if isinstance(link, Through):
            yield link.column, target_of(table_of(row), link.column)


def target_of(table: Table, column: str) -> Table:
    """Return the table that a column points at."""
    return next(key.column.table for key in table.columns[column].foreign_keys if key.column.name == "id")


def row_of(table: Table) -> type[Row]:
    """Return the class of a table."""
    return next(row for row in rows() if table_of(row) is table)


def is_shared(row: type[Row]) -> bool:
    """Whether several may share a row of this table, so that it goes with the last of them."""
    return any(
        isinstance(ending, LastOut) for each in row.__life__.links if isinstance(each, About) for ending in each.then
    )


def subjects(table: Table, tables: Sequence[str]) -> Iterator[tuple[Table, ColumnElement[bool], Column[UUID]]]:
    """Yield, for each of the tables that know who shares a row of `table`: itself, its join, and who it names."""
    for row in rows():
        if table_of(row).name not in tables or not issubclass(row, TenantRow):
            continue
        theirs = table_of(row).alias()
        for column, parent in parents(row):
            for link in row.__life__.links:
                if parent is table and isinstance(link, About) and link.who is Who.PERSON:
                    joined = (theirs.c.business_id == table.c.business_id) & (theirs.c[column] == table.c.id)
                    yield theirs, joined, theirs.c[link.column]  # type: ignore[misc]


def is_identity(row: type[Row]) -> bool:
    """Whether a row says who somebody is, not what they did: itself, what it is reached by, what it was merged with."""
    links = row.__life__.links
    if len(links) != 1 or not isinstance(links[0], About):
        return False
    was = any("was" in column.info for column in table_of(row).columns)
    return links[0].column == "id" or isinstance(row.__life__.ends, WithParent) or was


def is_in_sight(row: type[Row]) -> bool:
    """Whether a job of a business may see and end its rows in this table."""
    if not issubclass(row, PlatformRow):
        return True
    return bool("business_id" in table_of(row).columns and row.__visible__ and May.REMOVE in row.__job__)
