"""copies.supabase: who is a member nowhere any more is forgotten here, deleted where they sign in, and read back."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from jobs.copies.asking import Copies, Copy, Followed, Stands, follow
from jobs.copies.following import Keeping
from jobs.copies.payloads import FollowResend, FollowSupabase
from ledger import clock
from ledger.enqueue import enqueue
from ledger.job import vendor_job
from ledger.outcome import Known
from ledger.payload import Payload
from models.traces import Remains, RemainsState
from providers.vendors import Vendors

SIGN_IN = text("SELECT nexara.sign_in_v1(:copy)")
FORGET = text("SELECT nexara.forget_user_v1(:copy)")
MEMBER = "member"
KNOWN = "known"
"""What nexara.sign_in_v1 answers of whom we still have: of a member somewhere, of a user who is one nowhere."""


@vendor_job(FollowSupabase)
class OfSupabase(Keeping):
    """Follow up those who signed in as members of a business."""

    store = "supabase"

    def load(self, db: Session, payload: Payload) -> Copies | Known[Followed]:  # noqa: ARG002 - the business is the scope
        """Find who is due; first of all those whom we still know ourselves, about whom nobody has to be asked.

        Our own row goes in a transaction of its own, before Supabase is asked: while it is gone, nobody can be made a
        member again, and Supabase refuses to delete whom a row still points at.
        """
        copies = self.due(db)
        ours = tuple(stands for stands in (self._here(db, copy) for copy in copies) if stands)
        return Known(Followed(ours)) if ours else copies or Known(Followed())

    def call(self, given: Copies, vendors: Vendors) -> Followed:
        """Ask Supabase."""
        return follow(given, vendors.supabase)

    def _here(self, db: Session, copy: Copy) -> Stands | None:
        found = db.execute(SIGN_IN, {"copy": copy.id}).scalar_one()
        known = found in (MEMBER, KNOWN)
        return Stands(copy.id, RemainsState.PLANNED, found, retry_at=clock.now()) if known else None

    def _write(self, db: Session, row: Remains, stands: Stands) -> None:
        if stands.reason == MEMBER:
            db.delete(row)  # of another business, which has left the copy to it
        elif stands.reason == KNOWN:
            # With the user goes the address; the function has left what Resend knows under it in remains.
            db.execute(FORGET, {"copy": row.id})
            row.retry_at = stands.retry_at
            enqueue(db, FollowResend(business_id=row.business_id))
        else:
            super()._write(db, row, stands)
