"""What an erasure should have taken away and has not: read back by the frozen scope, before it all that will go."""

from collections import defaultdict
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lifecycle.raw import raw_left
from lifecycle.walk import Walk, going, walk
from models.erasures import Erasure, Scope


def rows_left(db: Session, erasure: Erasure) -> dict[str, int]:
    """Return how many rows of each table are there that should be gone; nothing when all are."""
    walked = walk(db, erasure)
    counted = _of_business(db, walked) if walked.meant.scope is Scope.BUSINESS else _of_human(db, walked)
    counted |= raw_left(db, erasure, walked.meant)
    return {table: count for table, count in sorted(counted.items()) if count}


def _of_business(db: Session, walked: Walk) -> dict[str, int]:
    found: dict[str, int] = {}
    for head in walked.heads:
        condition = walked.going(head)
        if condition is not None:
            asked = select(func.count()).select_from(head.table).where(condition)
            found[head.table.name] = found.get(head.table.name, 0) + (db.scalar(asked) or 0)
    return found


def _of_human(db: Session, walked: Walk) -> dict[str, int]:
    found: defaultdict[str, set[UUID]] = defaultdict(set)
    for table, ids in going(db, walked):
        found[table.name].update(ids)
    return {table: len(ids) for table, ids in found.items()}
