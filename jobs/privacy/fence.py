"""The fence before an erasure: jobs that name what will go are ended, and what vendors send of it late is kept out.

It goes over what will go in pieces, each a transaction: the jobs that it locks are locked for as long as one takes.
What is to be billed is written down first: the job that would have done so is about to be ended. Jobs that name a whole
of which a part goes, and that stays, go on: they read what is left of it. What a vendor answered them goes.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from jobs.usage.facts import meter
from ledger.job import registry
from lifecycle.pieces import PIECE, Place, piece
from lifecycle.tombs import bury_events, bury_identifiers
from lifecycle.walk import Going, walk
from lifecycle.wholes import above
from models.base import Row
from models.conversations import Conversation, Message
from models.entries import table_of
from models.erasures import Erasure

FORGET = text("SELECT ledger.forget_jobs_v1(CAST(:ids AS uuid[]))")
FORGET_ANSWERS = text("SELECT ledger.forget_answers_v1(CAST(:ids AS uuid[]))")


def fence(db: Session, erasure: Erasure, after: Place | None, most: int = PIECE) -> dict[str, Any] | None:
    """Do the next piece, after the place where the last one ended; returns the place where this one did, if not all."""
    going, place = piece(db, walk(db, erasure), after if after and "head" in after else None, most)
    wholes: dict[str, set[UUID]] = {}
    for table, ids in going:
        for name, whole in {**above(db, table, ids), table.name: ids}.items():
            wholes.setdefault(name, set()).update(whole)
    # Of a thread that goes on, what goes; of one that goes, all there is. One's messages may fill many pieces: all of
    # them are not looked through in each.
    meter(db, *(_of(going, each) for each in (Conversation, Message)))
    bury_events(db, erasure, going)
    if place is None:
        bury_identifiers(db, erasure)
    # Last, since it alone locks what somebody else may want to write.
    doomed = [row_id for _, ids in going for row_id in ids]
    forget(db, doomed)
    parts_of = named({name: sorted(ids - set(doomed)) for name, ids in wholes.items()})
    if parts_of:
        db.execute(FORGET_ANSWERS, {"ids": [str(each) for each in parts_of]})
    return dict(place) if place else None


def _of(going: Iterable[Going], row: type[Row]) -> list[UUID]:
    return [row_id for table, ids in going if table is table_of(row) for row_id in ids]


def forget(db: Session, ids: Sequence[UUID]) -> None:
    """End and forget the jobs of this business that name one of these rows."""
    if ids:
        db.execute(FORGET, {"ids": [str(each) for each in ids]})


def named(ids: Mapping[str, Sequence[UUID]]) -> list[UUID]:
    """Return those of these ids, by table, that a job may name."""
    return [each for name, theirs in sorted(ids.items()) if name in nameable() for each in theirs]


@cache
def nameable() -> frozenset[str]:
    """Return the tables that payloads name rows of: those that a column of the same name points at."""
    fields = {name for job in registry for name in job.payload.model_fields}
    keys = (key for table in Row.metadata.tables.values() for key in table.foreign_key_constraints)
    return frozenset(key.referred_table.name for key in keys if key.column_keys[-1] in fields - {"business_id"})
