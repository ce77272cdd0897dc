"""privacy.record: a confirmed erasure is written down outside the database before anything goes."""

from sqlalchemy.orm import Session

from jobs.privacy.payloads import EraseData, RecordErasure
from ledger.enqueue import enqueue
from ledger.job import vendor_job
from ledger.outcome import Cancel
from lifecycle.journal import Entry, entry_of
from models.entries import entries, fingerprint
from models.erasures import Erasure, ErasureState
from providers.vendors import Vendors


@vendor_job(RecordErasure)
class Record:
    """Write one entry of the journal, then let the erasing begin."""

    def load(self, db: Session, payload: RecordErasure) -> Entry | Cancel:
        """Gather what was confirmed: opaque ids."""
        erasure = db.get(Erasure, payload.erasure_id)
        if erasure is None:
            return Cancel("no_such_erasure")
        if erasure.state is not ErasureState.CONFIRMED:
            return Cancel("not_confirmed")
        return entry_of(db, erasure, fingerprint(entries()))

    def call(self, given: Entry, vendors: Vendors) -> str:
        """Write it; the same entry again changes nothing."""
        vendors.objects.put(given.key, given.model_dump_json().encode(), "application/json")
        return given.map

    def save(self, db: Session, payload: RecordErasure, answer: str) -> Cancel | None:
        """Begin."""
        erasure = db.get(Erasure, payload.erasure_id)
        if erasure is None or erasure.state is not ErasureState.CONFIRMED:
            return Cancel("not_confirmed")
        erasure.state = ErasureState.ERASING
        erasure.fingerprint = answer
        enqueue(db, EraseData(erasure_id=erasure.id))
        return None
