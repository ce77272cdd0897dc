"""What was made from a row is cleared when that row ends: the summary of a recording, the words quoted from it."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, select, update
from sqlalchemy.orm import Session

from lifecycle.ends import throughs
from lifecycle.scrub import emptied
from models.entries import rows, table_of


def clear(db: Session, table: Table, ids: Sequence[UUID]) -> int:
    """Clear every column that was made from these rows, before they go; returns how many rows were changed.

    What was made from a row hangs on something that the row is part of, however far up: the summary of a recording
    hangs on the conversation in which its call was.
    """
    made = list(made_from(table))
    if not (made and ids):
        return 0
    changed = 0
    for above, found in _above(db, table, list(ids)):
        for other, columns in made:
            for column in _pointing(other, above):
                cleared = update(other).where(column.in_(found)).values({each: emptied(each) for each in columns})
                changed += db.execute(cleared).rowcount  # type: ignore[attr-defined]  # of an UPDATE it is there
    return changed


def made_from(table: Table) -> Iterator[tuple[Table, list[Column[Any]]]]:
    """Yield the tables that have columns made from rows of this one, with those columns."""
    for row in rows():
        columns = [each for each in table_of(row).columns if each.info.get("made_from") == table.name]
        if columns:
            yield table_of(row), columns


def _above(db: Session, table: Table, ids: list[UUID]) -> Iterator[tuple[Table, list[UUID]]]:
    """Yield the tables that these rows are part of, with the ids of the rows there, nearest first."""
    yield table, ids
    for child, column, parent in throughs():
        if child is table:
            theirs = select(table.c[column]).where(table.c.id.in_(ids), table.c[column].is_not(None)).distinct()
            if found := list(db.scalars(theirs)):
                yield from _above(db, parent, found)


def _pointing(table: Table, at: Table) -> Iterator[Column[Any]]:
    for key in table.foreign_key_constraints:
        if key.referred_table is at:
            yield table.columns[key.column_keys[-1]]
