"""privacy.resolve: whom an erasure means is found out; what is beyond doubt may confirm itself."""

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from jobs.privacy.payloads import RecordErasure, ResolveErasure
from ledger.enqueue import enqueue
from ledger.job import database_job
from ledger.outcome import Cancel
from lifecycle.remaining import rows_left
from lifecycle.resolve import NotDecided, confirm, resolve
from models.erasures import ASKED, Decision, Erasure, ErasureScope, ErasureState


@database_job(ResolveErasure)
def find_out(db: Session, payload: ResolveErasure) -> Cancel | None:
    """Turn what was asked for into rows; a shared number waits for somebody's decision."""
    erasure = db.get(Erasure, payload.erasure_id)
    if erasure is None:
        return Cancel("no_such_erasure")
    if erasure.state is not ErasureState.RESOLVING:
        return Cancel("resolved_already")
    asked = select(ErasureScope.value).where(ErasureScope.erasure_id == erasure.id, ErasureScope.source == ASKED)
    resolve(db, erasure, [value for value in db.scalars(asked) if value is not None])
    # As it was typed it is of no more use: what it stands for has a row of its own.
    db.execute(delete(ErasureScope).where(ErasureScope.erasure_id == erasure.id, ErasureScope.source == ASKED))
    erasure.plan = rows_left(db, erasure)  # what should be gone and is not: before an erasure, all that will go
    if payload.confirm and _is_beyond_doubt(db, erasure):
        try:
            confirm(db, erasure, erasure.asked_by)
        except NotDecided:
            return None
        enqueue(db, RecordErasure(erasure_id=erasure.id))
    return None


def _is_beyond_doubt(db: Session, erasure: Erasure) -> bool:
    of_it = ErasureScope.erasure_id == erasure.id
    found = db.scalar(select(exists().where(of_it, ErasureScope.decision == Decision.INCLUDE)))
    doubted = db.scalar(select(exists().where(of_it, ErasureScope.decision == Decision.REVIEW)))
    return bool(found) and not doubted
