"""retention.sweep: each business with rows past their end gets a job of its own; the house's own rows end here."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from jobs.retention.payloads import ExpireRows, SweepRetention
from ledger import clock
from ledger.enqueue import enqueue
from ledger.job import cursor_job
from ledger.outcome import Again
from lifecycle.expire import expire

DUE = text("SELECT nexara.expired_v1(:as_of)")
PRUNE = text("SELECT ledger.prune_v1(:as_of, :most)")
MOST_PRUNED = 5000


@cursor_job(SweepRetention)
def sweep(db: Session, payload: SweepRetention, cursor: Mapping[str, Any] | None) -> Again | None:
    """Enqueue one job a business, then end the platform's and the ledger's own rows, a batch a transaction."""
    as_of = min(payload.as_of, clock.now())  # a day ahead, by whoever's mistake, ends nothing early
    if cursor is None:
        for business_id in db.execute(DUE, {"as_of": as_of}).scalars():
            enqueue(db, ExpireRows(business_id=business_id, as_of=as_of), business_id=business_id)
    more = expire(db, as_of, of_tenants=False)
    pruned: int = db.execute(PRUNE, {"as_of": as_of, "most": MOST_PRUNED}).scalar_one()
    return Again({"stage": "own_rows"}) if more or pruned >= MOST_PRUNED else None
