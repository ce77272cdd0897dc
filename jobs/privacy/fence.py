"""The fence before an erasure: jobs that name what will go are ended, and what vendors send of it late is kept out.

It goes over what will go in pieces, each a transaction: the jobs that it locks are locked for as long as one takes.
"""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from lifecycle.pieces import PIECE, Place, piece
from lifecycle.tombs import bury_events, bury_identifiers
from lifecycle.walk import walk
from models.erasures import Erasure

FORGET = text("SELECT ledger.forget_jobs_v1(CAST(:ids AS uuid[]))")


def fence(db: Session, erasure: Erasure, after: Place | None, most: int = PIECE) -> dict[str, Any] | None:
    """Do the next piece, after the place where the last one ended; returns the place where this one did, if not all."""
    going, place = piece(db, walk(db, erasure), after if after and "head" in after else None, most)
    bury_events(db, erasure, going)
    if place is None:
        bury_identifiers(db, erasure)
    # Last, since it alone locks what somebody else may want to write.
    forget(db, [row_id for _, ids in going for row_id in ids])
    return dict(place) if place else None


def forget(db: Session, ids: list[Any]) -> None:
    """End and forget the jobs of this business that name one of these rows."""
    if ids:
        db.execute(FORGET, {"ids": [str(each) for each in ids]})
