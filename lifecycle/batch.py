"""One batch of an erasure: rows are found, what ends with them goes first, then they go; so many a table at most."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, CursorResult, Table, delete, or_, select, update
from sqlalchemy.orm import Session

from lifecycle.pace import Pace
from lifecycle.paths import among, is_shared, parents, parts, row_of, target_of
from lifecycle.progress import Progress
from lifecycle.scrub import emptied
from lifecycle.walk import Walk
from lifecycle.wholes import above
from models.base import Row
from models.data_map import About, LastOut, Through
from models.entries import rows, table_of


class Batch:
    """What may still be done in this transaction, and what was."""

    def __init__(self, db: Session, walk: Walk, pace: Pace) -> None:
        self.db, self.walk, self.pace = db, walk, pace
        self.done = Progress()
        self._spent: Counter[str] = Counter()
        self._passed: dict[str, UUID] = {}

    def room(self, table: Table) -> int:
        """Return how many more rows of a table may go or change."""
        return self.pace.most - self._spent[table.name]

    def goes_on(self) -> bool:
        """Make room for as many rows again as there is time for; returns whether there is any."""
        most = max(self._spent.values(), default=0)
        self.pace.locked(most)
        self._spent.clear()
        return most > 0 and not self.pace.is_over()

    def find(self, table: Table, condition: ColumnElement[bool], *, anywhere: bool = False) -> tuple[list[UUID], bool]:
        """Return the ids of rows that there is room for, and whether those were all.

        `anywhere` begins at an id by chance, and goes on from there: of very many rows of one business, the batches
        before left their dead entries at the front of the index, and each would have to pass all of them.
        """
        room = self.room(table)
        if room <= 0:
            return [], False
        asked = select(table.c.id).where(condition)
        if not anywhere:
            found = list(self.db.scalars(asked.limit(room)))
            return found, len(found) < room
        in_order = asked.order_by(table.c.id)
        if table.name in self._passed:
            # What lies before where it began is looked through by the next batch, which holds nothing yet.
            found = list(self.db.scalars(in_order.where(table.c.id > self._passed[table.name]).limit(room)))
            are_all = False
        else:
            start = uuid4()
            found = list(self.db.scalars(in_order.where(table.c.id >= start).limit(room)))
            if len(found) < room:
                found += self.db.scalars(in_order.where(table.c.id < start).limit(room - len(found)))
            are_all = len(found) < room
        if found:
            self._passed[table.name] = found[-1]
        return found, are_all

    def end(self, table: Table, ids: Sequence[UUID]) -> bool:
        """Delete these rows, and before them what ends with them; returns whether all of that fitted in."""
        if not ids:
            return True
        for part, column, _ in parts(table):
            theirs, are_all = self.find(part, among(part, column, ids))
            if not self.end(part, theirs) or not are_all:
                return False
        self.take(table, ids)
        return True

    def take(self, table: Table, ids: Sequence[UUID]) -> None:
        """Delete these rows, which nothing hangs on."""
        if ids:
            self.pace.locking()
            gone = self._count(self.db.execute(delete(table).where(among(table, "id", ids))))
            self.done.rows[table.name] += gone
            self.done.gone.setdefault(table.name, []).extend(ids)
            self._spent[table.name] += gone

    def change(self, table: Table, ids: Sequence[UUID], values: Mapping[str, Any]) -> None:
        """Change these rows."""
        if ids:
            self.pace.locking()
            made = self._count(self.db.execute(update(table).where(among(table, "id", ids)).values(dict(values))))
            self.done.changed[table.name] += made
            self._spent[table.name] += made

    def remake(self, table: Table, ids: Sequence[UUID]) -> bool:
        """Delete what was derived from these rows, which stay without all they had; returns whether it fitted in."""
        made: set[UUID] = set()
        for part, column, derived in parts(table):
            if derived and ids:
                theirs = self.db.execute(select(part.c.id, part.c[column]).where(among(part, column, ids))).all()
                made.update(parent for _, parent in theirs)
                if not self.end(part, [row_id for row_id, _ in theirs]):
                    return False
        known = set(self.done.derived)
        self.done.derived += sorted((table.name, row_id) for row_id in made if (table.name, row_id) not in known)
        return True

    def leave(self, row: type[Row], ids: Sequence[UUID]) -> bool:
        """Before these rows go: of what they are a part of and others share, the derived rows go to be made anew."""
        for column, parent in parents(row):
            about = next((each for each in _about(parent) if any(isinstance(e, LastOut) for e in each.then)), None)
            if about is None or not ids:
                continue
            tables = next(each.among for each in about.then if isinstance(each, LastOut))
            mine = table_of(row)
            of_them = select(mine.c[column]).where(among(mine, "id", ids)).distinct()
            stays = or_(parent.c[about.column].not_in(self.walk.people), self.walk.shared(parent, tables))
            staying = self.db.scalars(
                select(parent.c.id).where(among(parent, "id", self.db.scalars(of_them).all()), stays)
            )
            if not self.remake(parent, staying.all()):
                return False
        return True

    def unquote(self, table: Table, ids: Sequence[UUID]) -> bool:
        """Empty what was made from these rows where it stands in rows of the same whole; derived rows go."""
        whole_of = above(self.db, table, ids)
        for row in rows():
            theirs = table_of(row)
            quoting = [column for column in theirs.columns if column.info.get("made_from") == table.name]
            for key in theirs.foreign_key_constraints if quoting else ():
                column = key.column_keys[-1]
                whole = whole_of.get(target_of(theirs, column).name) if column != "business_id" else None
                if not whole:
                    continue
                if any(isinstance(each, Through) and each.column == column for each in row.__life__.links):
                    if not self.remake(target_of(theirs, column), whole):
                        return False
                    continue
                found = self.db.scalars(
                    select(theirs.c.id).where(
                        among(theirs, column, whole), or_(*(each.is_distinct_from(emptied(each)) for each in quoting))
                    )
                )
                self.change(theirs, found.all(), {each.name: emptied(each) for each in quoting})
        return True

    def _count(self, result: object) -> int:
        assert isinstance(result, CursorResult)  # noqa: S101 - of a statement that changes rows
        return int(result.rowcount)


def _about(table: Table) -> list[About]:
    row = row_of(table)
    return [link for link in row.__life__.links if isinstance(link, About)] if is_shared(row) else []
