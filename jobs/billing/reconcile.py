"""billing.reconcile: every conversation that ended has its meter rows, whatever became of its transcript."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from jobs.billing.payloads import ReconcileBilling
from jobs.usage.payloads import MeterConversation
from ledger.enqueue import enqueue
from ledger.job import cursor_job
from ledger.outcome import Again

BATCH = 500
LOOKS_BACK = timedelta(days=40)
"""Carriers list a call for that long: what is older has been reconciled, or erased."""
SETTLED = timedelta(days=1)
"""A transcript that has not come by then does not hold up the bill."""

UNMETERED = text(
    "SELECT business_id, conversation_id, ended_at FROM nexara.unmetered_v1(:since, :until, :after, :most)"
)


@cursor_job(ReconcileBilling)
def reconcile(db: Session, payload: ReconcileBilling, cursor: Mapping[str, Any] | None) -> Again | None:
    """Enqueue the metering of each ended conversation that lacks it, oldest first, a batch a transaction."""
    since = datetime.fromisoformat(cursor["ended_at"]) if cursor else payload.as_of - LOOKS_BACK
    after = UUID(cursor["conversation_id"]) if cursor else None
    found = db.execute(
        UNMETERED, {"since": since, "until": payload.as_of - SETTLED, "after": after, "most": BATCH}
    ).all()
    for row in found:
        enqueue(db, MeterConversation(conversation_id=row.conversation_id), business_id=row.business_id)
    if len(found) < BATCH:
        return None
    last = found[-1]
    return Again({"ended_at": last.ended_at.isoformat(), "conversation_id": str(last.conversation_id)})
