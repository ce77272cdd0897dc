"""What will go, a piece at a time and with a place to go on from, so that nobody holds every id of a whole business."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lifecycle.walk import AT_ONCE, Going, Head, Walk, with_parts
from models.erasures import Scope

PIECE = 10_000
Place = Mapping[str, Any]
"""After which row of which head a piece ended; it can be written down as JSON."""


def piece(db: Session, walked: Walk, after: Place | None, most: int = PIECE) -> tuple[list[Going], Place | None]:
    """Return about `most` ids of rows that go, by table, and the place to go on from; None when those were the last.

    A row that two links reach comes twice. Of a head that the place names and the map no longer has, all begins anew.
    """
    heads = list(_named(walked))
    names = [name for name, _ in heads]
    begins = names.index(after["head"]) if after and after["head"] in names else None
    last = UUID(after["row"]) if after and begins is not None else None
    found: list[Going] = []
    room = most
    for name, head in heads[begins or 0 :]:
        while ids := _next(db, walked, head, last, room):
            for start in range(0, len(ids), AT_ONCE):
                some = ids[start : start + AT_ONCE]
                for table, theirs in _of(db, walked, head, some):
                    found.append((table, theirs))
                    room -= len(theirs)
                last = some[-1]
                if room <= 0:
                    return found, {"head": name, "row": str(last)}
        last = None
    return found, None


def _named(walked: Walk) -> Iterator[tuple[str, Head]]:
    told: dict[str, int] = {}
    for head in walked.heads:
        name = f"{head.table.name}.{head.link or ''}"
        told[name] = told.get(name, 0) + 1
        yield f"{name}.{told[name]}", head


def _next(db: Session, walked: Walk, head: Head, after: UUID | None, most: int) -> Sequence[UUID]:
    condition = walked.going(head)
    if condition is None:
        return ()
    asked = select(head.table.c.id).where(condition)
    if after is not None:
        asked = asked.where(head.table.c.id > after)
    if walked.meant.scope is Scope.BUSINESS:
        return db.scalars(asked.order_by(head.table.c.id).limit(most)).all()
    # Theirs are found first and sorted then: by the order of ids, everybody's would be read.
    theirs = asked.offset(0).subquery()
    return db.scalars(select(theirs.c.id).order_by(theirs.c.id).limit(most)).all()


def _of(db: Session, walked: Walk, head: Head, ids: Sequence[UUID]) -> Iterator[Going]:
    if walked.meant.scope is Scope.BUSINESS:
        yield head.table, ids  # each table is asked for itself
    else:
        yield from with_parts(db, head.table, ids)
