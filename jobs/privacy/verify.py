"""privacy.verify: an erasure is completed when its rows, objects and vendors' copies have been read back as gone.

Until then it waits: for copies that vendors still have, for texts that somebody must look at. What came back in the
meantime sends it back to erasing. Nothing is called completed because it was asked for.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from jobs.privacy.payloads import DepositReceipt, EraseData, VerifyErasure
from ledger import clock
from ledger.enqueue import enqueue
from ledger.errors import TryAgain
from ledger.job import vendor_job
from ledger.outcome import Cancel, Snooze
from lifecycle import receipt as receipts
from lifecycle.remaining import rows_left
from models.erasures import Erasure, ErasureScope, ErasureState, Receipt, Review, ReviewState, Scope
from models.traces import TO_DO, Remains, RemainsState
from providers.vendors import Vendors

LOOK_AGAIN = timedelta(minutes=10)
"""After which a copy that somebody has to see to is asked about again."""
UNMAPPED = text("SELECT thing, wrong FROM nexara.unmapped()")
CHAIN = text("SELECT pg_advisory_xact_lock(hashtextextended('receipts ' || CAST(:business AS text), 0))")


@dataclass(frozen=True, slots=True)
class Gone:
    """An erasure whose rows and copies are gone as far as the database knows; `prefix` is to be empty in the bucket."""

    prefix: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """How many objects, versions and unfinished uploads are left under the prefix; None where none was to be read."""

    objects: int | None


@vendor_job(VerifyErasure)
class Verify:
    """Complete one erasure, or say what it waits for."""

    def load(self, db: Session, payload: VerifyErasure) -> Gone | Cancel | Snooze:
        """Ask the database what is left to be done."""
        erasure = db.get(Erasure, payload.erasure_id)
        if erasure is None:
            return Cancel("no_such_erasure")
        if erasure.state is not ErasureState.PENDING:
            return Cancel("not_pending")
        if until := _waits_until(db, erasure):
            return Snooze(until)
        # An erased business has nothing in the bucket; of a person, each object has been read back by its own copy.
        return Gone(f"{erasure.business_id}/" if erasure.scope is Scope.BUSINESS else None)

    def call(self, given: Gone, vendors: Vendors) -> Seen:
        """Look into the bucket."""
        if given.prefix is None:
            return Seen(None)
        return Seen(sum(1 for _ in vendors.objects.held(given.prefix)))

    def save(self, db: Session, payload: VerifyErasure, answer: Seen) -> Cancel | None:
        """Write the receipt; or go back to erasing what came back meanwhile."""
        erasure = db.get(Erasure, payload.erasure_id)
        if erasure is None or erasure.state is not ErasureState.PENDING:
            return Cancel("not_pending")
        if rows_left(db, erasure):
            erasure.state = ErasureState.ERASING
            enqueue(db, EraseData(erasure_id=erasure.id))
            return None
        if answer.objects:
            raise TryAgain("objects_left", "The bucket still has objects of a business that was erased.")
        if unmapped := [tuple(line) for line in db.execute(UNMAPPED)]:
            # What nobody classified may hold anything: it blocks the word "completed", never a deletion.
            raise TryAgain("unmapped", f"The database has {len(unmapped)} things that the data map does not know.")
        db.execute(CHAIN, {"business": str(erasure.business_id)})
        previous = db.scalar(select(Receipt.hash).order_by(Receipt.made_at.desc(), Receipt.id).limit(1))
        body = receipts.body_of(db, erasure, checked={"rows_left": 0, "objects_left": answer.objects, "unmapped": 0})
        db.add(receipts.chained(body, erasure=erasure, catalog=unmapped, previous=previous))
        erasure.state = ErasureState.COMPLETED
        erasure.completed_at = clock.now()
        db.execute(delete(ErasureScope).where(ErasureScope.erasure_id == erasure.id))
        enqueue(db, DepositReceipt(erasure_id=erasure.id))
        return None


def _waits_until(db: Session, erasure: Erasure) -> datetime | None:
    """Return when to look again, if a copy or a text is still open."""
    of_it = Remains.erasure_id == erasure.id
    asked = select(func.count(), func.min(Remains.retry_at)).where(of_it, Remains.state.in_(TO_DO))
    to_do, next_try = db.execute(asked).one()
    by_hand = db.scalar(select(func.count()).where(of_it, Remains.state == RemainsState.MANUAL))
    open_texts = db.scalar(
        select(func.count()).where(Review.erasure_id == erasure.id, Review.state == ReviewState.OPEN)
    )
    if not (to_do or by_hand or open_texts):
        return None
    soon = clock.now() + timedelta(seconds=30)
    if to_do and next_try:
        return max(soon, min(next_try + timedelta(seconds=30), clock.now() + LOOK_AGAIN))
    return clock.now() + LOOK_AGAIN
