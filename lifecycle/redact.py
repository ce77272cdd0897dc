"""Texts of others that name whom an erasure means: what is exact is taken out, the rest is put before somebody.

Texts are found by `mentions`, which the database keeps: nobody reads every text. A name alone is never looked for.
What the business wrote itself, and what may stand for somebody else's number, no machine changes: a row of `reviews`
waits for somebody, and the erasure is not completed before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lifecycle.meant import Meant, country_of, meant, tables
from lifecycle.pace import Pace
from lifecycle.paths import among
from lifecycle.scrub import ERASED, holds_of, when
from lifecycle.spelling import Spelled, names, replaced, spelled
from models.base import Row
from models.data_map import About, Finds, Keep, Matching
from models.data_map import Review as Reviewed
from models.entries import rows, table_of
from models.erasures import Erasure, Review, ReviewState, Scope
from models.traces import Mention

BATCH = 500
WHOLE = (Scope.PERSON, Scope.MEMBER, Scope.VISITOR)
"""The scopes after which nobody of the business knows them any more; the others leave what others wrote of them."""


class StillNamed(ValueError):
    """A text is said to have been redacted, and names them as before."""


@dataclass(frozen=True, slots=True)
class Text:
    """A column of a row that may name them."""

    row: type[Row]
    column: Column[Any]
    row_id: UUID
    told: Any

    @property
    def is_by_hand(self) -> bool:
        """Whether somebody has to change it: the business wrote it, about nobody in particular."""
        links = self.row.__life__.links
        reviewed = {each.column for each in links if isinstance(each, Matching) and Reviewed() in each.then}
        return self.column.name in reviewed or not holds_of(self.column).personal


def redact(db: Session, erasure: Erasure, *, batch: int = BATCH, patience: float | None = None) -> bool:
    """Redact, or put before somebody, at most `batch` texts; returns whether there may be more.

    With patience, in seconds, only as many as fit into it: what was changed is locked until the transaction ends.
    """
    sought = _sought(db, erasure)
    done = 0
    pace = Pace(batch, patience)
    for text in _texts(db, sought):
        exact, doubtful = names(text.told, sought)
        if exact and not text.is_by_hand:
            table = table_of(text.row)
            kept = replaced(text.told, sought, ERASED)
            pace.locking()
            db.execute(update(table).where(table.c.id == text.row_id).values({text.column.name: kept}))
            done += 1
        if doubtful or (exact and text.is_by_hand):
            done += _ask(db, erasure, text)
        if done >= batch or pace.is_over():
            return True
    return False


def texts_left(db: Session, erasure: Erasure) -> int:
    """Count the texts of others that still name them exactly; those that wait for somebody are not among them."""
    sought = _sought(db, erasure)
    return sum(names(each.told, sought)[0] for each in _texts(db, sought) if not each.is_by_hand)


def decide(db: Session, review: Review, state: ReviewState, by: UUID | None) -> None:
    """Say of a text that it was redacted, or that it names somebody else or nobody.

    Raises ValueError for one that was decided about, StillNamed for a redacted one that names them exactly.
    """
    if review.state is not ReviewState.OPEN or state is ReviewState.OPEN:
        raise ValueError(f"the text is {review.state}: only an open one is redacted or cleared")
    if state is ReviewState.REDACTED:
        table = tables()[review.source]
        told = db.scalar(select(table.c[review.field]).where(table.c.id == review.row_id))
        if names(told, _sought(db, db.get_one(Erasure, review.erasure_id)))[0]:
            raise StillNamed("the text names them as before: change it, then say that it was redacted")
    review.state = state
    review.decided_by = by
    review.decided_at = db.scalar(select(func.now()))
    db.flush()


def _sought(db: Session, erasure: Erasure) -> list[Spelled]:
    if erasure.scope not in WHOLE:
        return []
    what: Meant = meant(db, erasure)
    country = country_of(db, what.business_id)
    ways = (spelled(value, country) for value in what.values)
    return [way for way in ways if way is not None and way.needle]


def _texts(db: Session, sought: Sequence[Spelled]) -> Iterator[Text]:
    """Yield the texts that mention a needle of theirs, table by table; what a law keeps as it is, is left as it is."""
    needles = sorted({way.needle for way in sought if way.needle})
    if not needles:
        return
    hits = select(Mention.source, Mention.row_id).where(Mention.needle.in_(needles)).distinct()
    found: dict[str, list[UUID]] = {}
    for source, row_id in db.execute(hits.order_by(Mention.source, Mention.row_id)):
        found.setdefault(source, []).append(row_id)
    for row in rows():
        table = table_of(row)
        columns = [column for column in table.columns if holds_of(column).find is Finds.TEXT]
        ids = found.get(table.name, [])
        if not columns or table.schema != Row.metadata.schema:
            continue
        for start in range(0, len(ids), BATCH):
            yield from _of(db, row, table, columns, ids[start : start + BATCH])


def _of(
    db: Session, row: type[Row], table: Table, columns: Sequence[Column[Any]], ids: Sequence[UUID]
) -> Iterator[Text]:
    keeps = [
        ending
        for link in row.__life__.links
        if isinstance(link, About | Matching)
        for ending in link.then
        if isinstance(ending, Keep)
    ]
    asked = select(table.c.id, *columns, *(when(keep.when) for keep in keeps)).where(among(table, "id", ids))
    for row_id, *told in db.execute(asked.order_by(table.c.id)).all():
        holding = [keep for keep, holds in zip(keeps, told[len(columns) :], strict=True) if holds]
        for column, value in zip(columns, told, strict=False):
            if value is not None and not any(column.name in keep.only for keep in holding):
                yield Text(row, column, row_id, value)


def _ask(db: Session, erasure: Erasure, text: Text) -> int:
    """Put a text before somebody; returns 0 for one that already was."""
    asked = insert(Review).values(
        business_id=erasure.business_id,
        erasure_id=erasure.id,
        source=table_of(text.row).name,
        row_id=text.row_id,
        field=text.column.name,
        state=ReviewState.OPEN,
    )
    made = db.execute(asked.on_conflict_do_nothing().returning(Review.id))
    return len(made.all())
