"""retention.end: a business that left and did not come back in time is erased as a whole."""

from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jobs.privacy.payloads import RecordErasure
from jobs.retention.payloads import EndBusiness
from ledger import clock
from ledger.enqueue import enqueue
from ledger.job import database_job
from ledger.outcome import Cancel, Snooze
from lifecycle.deadlines import read
from lifecycle.ending import copies_of, is_due, starts_at
from models.accounts import Business
from models.erasures import Erasure, ErasureState, Origin, Scope

UNCOUNTED = text("SELECT nexara.uncounted_v1()")
LOOK_AGAIN = timedelta(hours=1)
"""After which months that are still to be counted are asked about again."""


@database_job(EndBusiness)
def end_business(db: Session, payload: EndBusiness) -> Cancel | Snooze | None:  # noqa: ARG001 - the scope shows one
    """Confirm the erasure of the business; from then on nobody brings it back."""
    # Locked: whoever subscribes again at this moment does so before it, or is refused.
    business = db.scalar(select(Business).with_for_update(key_share=True))
    if business is None:
        return Cancel("no_such_business")
    if business.erasing_at is not None:
        return Cancel("erased_already")
    if business.ended_at is None:
        return Cancel("came_back")
    now, deadlines, copies = clock.now(), read(db), copies_of(db, business.id)
    if not is_due(business.ended_at, copies, deadlines, now):
        return Cancel("not_due_yet")
    starts = starts_at(business.ended_at, copies, deadlines)
    if now < starts and db.scalar(UNCOUNTED):
        # What its people did is counted first where there is time; no count holds up a deletion.
        return Snooze(min(starts, now + LOOK_AGAIN))
    erasure = Erasure(
        business_id=business.id,
        scope=Scope.BUSINESS,
        root_id=business.id,
        origin=Origin.RETENTION,
        state=ErasureState.CONFIRMED,
        confirmed_at=now,
    )
    db.add(erasure)
    db.flush()
    enqueue(db, RecordErasure(erasure_id=erasure.id))
    return None
