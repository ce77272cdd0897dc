"""What rows are a part of, however far up: the conversation of a recording, the thread of a message."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from lifecycle.paths import among, parents, row_of


def above(db: Session, table: Table, ids: Sequence[UUID]) -> Mapping[str, Sequence[UUID]]:
    """Return the ids of all that these rows are a part of, by table."""
    found: dict[str, Sequence[UUID]] = {}
    for column, parent in parents(row_of(table)):
        wholes = db.scalars(select(table.c[column]).where(among(table, "id", ids)).distinct()).all()
        present = [each for each in wholes if each is not None]
        if present:
            found[parent.name] = present
            found.update(above(db, parent, present))
    return found
