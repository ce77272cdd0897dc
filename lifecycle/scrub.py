"""What stays of a row that forgets somebody: which columns are emptied, each in the way of its kind."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Table,
    and_,
    case,
    false,
    literal,
    literal_column,
    not_,
    null,
    or_,
    true,
)

from models.data_map import Delete, Ending, Holds, Keep, Scrub, Scrubs, Unlink, once

ERASED = "[erased]"
"""The word that stands where a text about somebody was."""
KEEP_UNTIL = "keep_until"
"""The column that says until when a row is kept, where a table has one."""


@once
class EmptyQuote:
    """A column is emptied, because what it was made from goes."""

    column: str


Ends = Ending | EmptyQuote
Change = tuple[Column[Any], ColumnElement[bool], ColumnElement[Any]]
"""A column, when it is changed, and what it becomes."""


def holds_of(column: Column[Any]) -> Holds:
    """Return what a column says that it holds."""
    told: Holds = column.info["holds"]
    return told


def emptied(column: Column[Any]) -> ColumnElement[Any]:
    """Return what scrubbing leaves in a column; raises TypeError for one that cannot be emptied."""
    scrub = holds_of(column).scrub
    if scrub is Scrubs.KEEP:
        return column
    if scrub is Scrubs.TOKEN:
        return literal(ERASED)
    if not column.nullable:
        raise TypeError(f"{column} is emptied and may not be null: let it be None")
    return null()


def changes(table: Table, link: str | None, endings: Sequence[Ends]) -> list[Change]:
    """Return what becomes of a row's columns by these endings, of whom `link` names, or of everybody (None)."""
    made: list[Change] = []
    keeps = [each for each in endings if isinstance(each, Keep)]
    for ending in endings:
        if isinstance(ending, EmptyQuote):
            made.append((table.columns[ending.column], true(), emptied(table.columns[ending.column])))
        elif isinstance(ending, Keep):
            made += [
                (column, when(ending.when), null() if column.nullable and not _is_token(column) else emptied(column))
                for column in _columns_besides(table, link, ending.only)
            ]
        elif isinstance(ending, Scrub | Unlink):
            condition = when(ending.when) if isinstance(ending, Scrub) else true()
            for column in _columns_of(table, link):
                spared = or_(false(), *(when(each.when) for each in keeps if column.name in each.only))
                made.append((column, and_(condition, not_(spared)), emptied(column)))
            if link is not None and table.columns[link].nullable:
                made.append((table.columns[link], condition, null()))
    return made


def to_do(made: Sequence[Change]) -> ColumnElement[bool]:
    """Return the condition under which a row still has something to change."""
    return or_(false(), *(and_(condition, column.is_distinct_from(left)) for column, condition, left in made))


def values(made: Sequence[Change]) -> dict[str, ColumnElement[Any]]:
    """Return the values of the statement that makes these changes."""
    told: dict[str, ColumnElement[Any]] = {}
    for column, condition, left in made:
        before = told.get(column.name, column)
        told[column.name] = case((condition, left), else_=before)
    return told


def when(condition: str | None) -> ColumnElement[bool]:
    """Return an ending's own condition; always, where it has none."""
    return true() if condition is None else literal_column(f"({condition})", Boolean())


def deletes(endings: Sequence[Ends]) -> ColumnElement[bool] | None:
    """Return the condition under which a row goes by these endings; None where none deletes."""
    told = [when(each.when) for each in endings if isinstance(each, Delete)]
    return or_(*told) if told else None


def stays(table: Table, keep: Keep | None = None) -> tuple[str, ...]:
    """Return the columns that a row still has which is kept, or all where nothing is emptied; its keys are left out.

    Beside those that the reason names, columns stay that hold nothing of anybody and may not be null.
    """
    pointing = {each.parent.name for constraint in table.foreign_key_constraints for each in constraint.elements}
    return tuple(
        column.name
        for column in table.columns
        if not column.primary_key
        and column.name not in {"id", "business_id"}
        and (
            keep is None
            or column.name in keep.only
            or not (column.nullable or holds_of(column).scrub is not Scrubs.KEEP or column.name in pointing)
        )
        and (keep is not None or column.name not in pointing)
    )


def _columns_of(table: Table, link: str | None) -> Iterator[Column[Any]]:
    """Yield the columns that scrubbing empties: those of this link, or all."""
    for column in table.columns:
        holds = holds_of(column)
        if holds.scrub is Scrubs.KEEP or column.name == link:
            continue
        if link is None or (holds.personal and column.info.get("of", link) == link):
            yield column


def _columns_besides(table: Table, link: str | None, only: tuple[str, ...]) -> Iterator[Column[Any]]:
    """Yield the columns that a reason to keep the row is no reason for, and that can be emptied."""
    for column in table.columns:
        if column.primary_key or column.name in {*only, "id", "business_id", link, KEEP_UNTIL}:
            continue
        if column.nullable or holds_of(column).scrub is not Scrubs.KEEP:
            yield column


def _is_token(column: Column[Any]) -> bool:
    return holds_of(column).scrub is Scrubs.TOKEN
