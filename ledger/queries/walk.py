"""An order of jobs that pages can follow: its keys, its cursors, and where an index holds it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, literal, true, tuple_

Conditions = tuple[ColumnElement[bool], ...]
LARGEST = 2**63 - 1


class BadCursor(ValueError):
    """The cursor is not one of this list's."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Rows in an order that pages can follow.

    `within` is what the order's index answers. What it cannot, `rest` says of the columns of a source: rows are read
    and left out. Where `gathered`, all rows are at hand and none need be left for the next look.
    """

    words: str
    source: FromClause
    keys: tuple[str, ...]
    descending: bool
    within: Conditions
    rest: Callable[[FromClause], Conditions]
    gathered: bool = False

    def order(self, source: FromClause, *, backwards: bool) -> list[ColumnElement[Any]]:
        """Return the ORDER BY over the columns of a source, or its reverse."""
        columns = [source.c[key] for key in self.keys]
        return [c.desc() if self.descending != backwards else c.asc() for c in columns]

    def beyond(self, cursor: str | None, *, backwards: bool) -> ColumnElement[bool]:
        """Return what is true of the rows after a cursor, or before it if backwards; raises BadCursor."""
        if cursor is None:
            return true()
        columns = [self.source.c[key] for key in self.keys]
        here = tuple_(*(literal(value, c.type) for value, c in zip(self._read(cursor), columns, strict=True)))
        row = tuple_(*columns)
        return row < here if self.descending != backwards else row > here

    def cursor(self, row: Any) -> str:
        """Return the cursor that stands at a row."""
        values = [getattr(row, key) for key in self.keys]
        return "~".join(v.isoformat() if isinstance(v, datetime) else str(v) for v in values)

    def _read(self, cursor: str) -> list[Any]:
        parts = cursor.split("~")
        if len(parts) != len(self.keys):
            raise BadCursor("this page belongs to another order of the list")
        try:
            return [READ[key](part) for key, part in zip(self.keys, parts, strict=True)]
        except ValueError:
            raise BadCursor("this is no page of this list") from None


def _aware(part: str) -> datetime:
    moment = datetime.fromisoformat(part)
    if moment.tzinfo is None:
        raise ValueError("a time of the ledger has its offset")
    return moment


def _name(part: str) -> str:
    if not part.replace("_", "").replace(".", "").isalnum():
        raise ValueError("no name of a queue")
    return part


def _up_to(largest: int) -> Callable[[str], int]:
    def number(part: str) -> int:
        if not 0 <= int(part) <= largest:
            raise ValueError("no number of the ledger")
        return int(part)

    return number


READ: dict[str, Callable[[str], Any]] = {
    "id": _up_to(LARGEST),
    "priority": _up_to(3),
    "queue": _name,
    "business_id": UUID,
    "failed_at": _aware,
    "finished_at": _aware,
    "run_at": _aware,
}
