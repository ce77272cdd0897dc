"""The walk of the data map: which rows an erasure says something of, by which link, children before their parents.

A head is a table's rows by one link: each is found by an index over (business_id, that column), from ids that were
frozen, so that the walk finds what is left of it however often it was broken off. What ends with a row is found there.
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, exists, not_, or_, select
from sqlalchemy.orm import Session

from lifecycle.meant import TENANTS, Meant, meant, root_of
from lifecycle.paths import among, is_identity, is_in_sight, parts, row_of, subjects, target_of
from lifecycle.scrub import EmptyQuote, Ends, deletes
from models.base import Row, TenantRow
from models.data_map import About, Category, Delete, Finds, LastOut, Matching, Through, Who
from models.entries import rows, table_of
from models.erasures import Erasure, ErasureScope, ErasureState, Review, Scope

TALK = (Category.COMMUNICATION, Category.USAGE)
"""What goes when a person asks for calls and messages alone; what a business keeps of its customers stays."""
BY_VALUE = (Finds.PHONE, Finds.EMAIL, Finds.VALUE)
AT_ONCE = 1000
"""Ids that are read, or passed on, at once."""
Going = tuple[Table, Sequence[UUID]]
"""Ids of rows of a table that go."""


@dataclass(frozen=True, slots=True)
class Head:
    """Rows of a table, and what becomes of them; `link` is the column by which they concern who is meant."""

    row: type[Row]
    which: ColumnElement[bool]
    endings: tuple[Ends, ...]
    link: str | None = None

    @property
    def table(self) -> Table:
        """The table itself."""
        return table_of(self.row)

    @property
    def among(self) -> tuple[str, ...]:
        """The tables that know who else shares these rows."""
        return next((each.among for each in self.endings if isinstance(each, LastOut)), ())


class Walk:
    """What one erasure says of each table."""

    def __init__(self, what: Meant) -> None:
        self.meant = what
        self.people: Sequence[UUID] = tuple(what.ids.get(Who.PERSON, ()))
        self.heads = _in_order(self._business() if what.scope is Scope.BUSINESS else self._human())

    def going(self, head: Head) -> ColumnElement[bool] | None:
        """Return the condition of the head's rows that go: those that nobody else shares; None where none ever goes."""
        if head.among:
            return and_(head.which, not_(self.shared(head.table, head.among)))
        condition = deletes(head.endings)
        return None if condition is None else and_(head.which, condition)

    def shared(self, table: Table, tables: Sequence[str]) -> ColumnElement[bool]:
        """Return the condition under which somebody who is not meant shares a row, as these tables know."""
        return or_(*(exists().where(joined, who.not_in(self.people)) for _, joined, who in subjects(table, tables)))

    def _business(self) -> Iterator[Head]:
        """Every table of the business, by what it says of the time after cancellation."""
        for row in rows():
            table, after = table_of(row), row.__life__.after_cancellation
            if table.schema != Row.metadata.schema:
                continue
            if table is TENANTS:
                yield Head(row, table.c.id == self.meant.business_id, after)
            elif is_in_sight(row):
                which = table.c.business_id == self.meant.business_id
                yield Head(row, and_(which, *self._spared(table)), after)

    def _spared(self, table: Table) -> Iterator[ColumnElement[bool]]:
        """What erasures that are under way are done by stays until they are done."""
        if table in (table_of(ErasureScope), table_of(Review)):
            idle = Erasure.state.in_((ErasureState.RESOLVING, ErasureState.COMPLETED, ErasureState.WITHDRAWN))
            others = Erasure.business_id == self.meant.business_id, Erasure.id != self.meant.erasure_id
            yield table.c.erasure_id.in_(select(Erasure.id).where(*others, idle))

    def _human(self) -> Iterator[Head]:
        """Whatever concerns who is meant, by each link; and the root itself, where that is a thing."""
        root = root_of(self.meant.scope)
        for row in rows():
            table = table_of(row)
            if not self._is_walked(row):
                yield from self._quoting(row)
                continue
            if table is root and table.name not in set(Who):
                yield Head(row, among(table, "id", self.meant.of(table)), (Delete(),))
            for link in row.__life__.links:
                if isinstance(link, About) and self.meant.ids.get(link.who):
                    which = among(table, link.column, self.meant.ids[link.who])
                    yield Head(row, and_(which, *self._still_known(row, link)), link.then, link.column)
                elif isinstance(link, Matching) and link.finds in BY_VALUE and self.meant.values:
                    yield Head(row, table.c[link.column].in_(self.meant.values), link.then, link.column)
                elif isinstance(link, Through):
                    yield from self._sent_to(row, link)

    def _is_walked(self, row: type[Row]) -> bool:
        if table_of(row).schema != Row.metadata.schema or not issubclass(row, TenantRow):
            return False
        if self.meant.scope is Scope.COMMUNICATIONS:
            return row.__life__.category in TALK
        # What an erasure is done by is no part of it.
        return row.__life__.category is not Category.ENGINE

    def _still_known(self, row: type[Row], link: About) -> Iterator[ColumnElement[bool]]:
        """Who asks for calls and messages alone stays known while the business has them among its customers."""
        if self.meant.scope is not Scope.COMMUNICATIONS or not is_identity(row):
            return
        table = table_of(row)
        for other in rows():
            for each in other.__life__.links:
                if isinstance(each, About) and each.who is link.who and not self._is_walked(other):
                    theirs = table_of(other).alias()
                    same = theirs.c.business_id == table.c.business_id
                    yield not_(exists().where(same, theirs.c[each.column] == table.c[link.column]))

    def _sent_to(self, row: type[Row], link: Through) -> Iterator[Head]:
        """What ends with who somebody is ends, though they stay known."""
        if self.meant.scope is Scope.COMMUNICATIONS:
            parent = row_of(target_of(table_of(row), link.column))
            for about in parent.__life__.links:
                if is_identity(parent) and isinstance(about, About) and about.who is Who.PERSON:
                    theirs = among(table_of(parent), about.column, self.people)
                    known = select(table_of(parent).c.id).where(theirs)
                    yield Head(row, table_of(row).c[link.column].in_(known), (Delete(),))

    def _quoting(self, row: type[Row]) -> Iterator[Head]:
        """What a row that stays quotes of calls and messages that go."""
        if self.meant.scope is Scope.COMMUNICATIONS and issubclass(row, TenantRow):
            for column in table_of(row).columns:
                if "made_from" in column.info:
                    which = among(table_of(row), column.info["of"], self.people)
                    yield Head(row, which, (EmptyQuote(column=column.name),), column.info["of"])


def walk(db: Session, erasure: Erasure) -> Walk:
    """Return the walk of an erasure, by its frozen scope."""
    return Walk(meant(db, erasure))


def doomed(db: Session, erasure: Erasure) -> list[UUID]:
    """Return the ids of all rows that will go; where they may be very many, lifecycle.pieces gives them by and by."""
    return list(dict.fromkeys(row_id for _, ids in going(db, walk(db, erasure)) for row_id in ids))


def going(db: Session, walked: Walk, *, only: Container[Table] | None = None) -> Iterator[Going]:
    """Yield the ids of the rows that go, at most `AT_ONCE` at a time; a row that two links reach comes twice.

    `only` leaves out the heads that lead to none of these tables.
    """
    for head in walked.heads:
        condition = walked.going(head)
        if condition is None or (only is not None and not _leads(head.table, only)):
            continue
        found = select(head.table.c.id).where(condition).execution_options(yield_per=AT_ONCE)
        for ids in db.scalars(found).partitions():
            if walked.meant.scope is Scope.BUSINESS:
                yield head.table, ids  # each table is asked for itself
            else:
                yield from with_parts(db, head.table, ids)


def with_parts(db: Session, table: Table, ids: Sequence[UUID]) -> Iterator[Going]:
    """Yield these ids, and before them those of the rows that end with theirs."""
    for part, column, _ in parts(table):
        for start in range(0, len(ids), AT_ONCE):
            theirs = db.scalars(select(part.c.id).where(among(part, column, ids[start : start + AT_ONCE]))).all()
            if theirs:
                yield from with_parts(db, part, theirs)
    yield table, ids


def _leads(table: Table, tables: Container[Table]) -> bool:
    return table in tables or any(_leads(part, tables) for part, _, _ in parts(table))


def _in_order(heads: Iterator[Head]) -> list[Head]:
    """Sort children before parents; of one table, those heads first that delete."""
    order = {table.key: place for place, table in enumerate(reversed(Row.metadata.sorted_tables))}
    return sorted(heads, key=lambda head: (order[head.table.key], deletes(head.endings) is None))
