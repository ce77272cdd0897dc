"""copies.sweep: whoever has copies elsewhere that are due gets each of their stores asked by a job of its own."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from jobs.copies.payloads import FOLLOWS, SweepCopies, following
from ledger import clock
from ledger.enqueue import enqueue
from ledger.errors import GiveUp
from ledger.job import cursor_job
from ledger.outcome import Again

DUE = text("SELECT business_id, store FROM nexara.copies_due_v1(:as_of)")


@cursor_job(SweepCopies)
def sweep(db: Session, payload: SweepCopies, cursor: Mapping[str, Any] | None) -> Again | None:
    """Enqueue one job a business and store; a store that no job knows is an error, told once the others have theirs."""
    as_of = min(payload.as_of, clock.now())
    due = db.execute(DUE, {"as_of": as_of}).all()
    strange = [row for row in due if row.store not in FOLLOWS]
    if cursor is None:
        for row in due:
            if row.store in FOLLOWS:
                enqueue(db, following(row.store, row.business_id), business_id=row.business_id)
        return Again({"stage": "strange_stores"}) if strange else None
    if strange:
        raise GiveUp("copies_store_unknown", f"{len(strange)} businesses have copies in a store that no job follows up")
    return None
