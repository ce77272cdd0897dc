"""retention.sweep: each business with rows past their end, and each that is to be ended, gets a job of its own.

The house's own rows end here.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from jobs.privacy.payloads import CountMonths, PruneJournal
from jobs.retention.payloads import EndBusiness, ExpireRows, SweepRetention
from ledger import clock
from ledger.enqueue import enqueue
from ledger.job import cursor_job
from ledger.outcome import Again
from lifecycle.deadlines import read
from lifecycle.ending import copies_of, is_due
from lifecycle.expire import expire

DUE = text("SELECT nexara.expired_v1(:as_of)")
END_ACCESS = text("SELECT nexara.end_access_v1(:as_of)")
LEFT = text("SELECT business_id, ended_at FROM nexara.ends_v1() WHERE ended_at IS NOT NULL AND erasing_at IS NULL")
MONTH_DUE = text("SELECT nexara.month_due_v1(:as_of)")
PRUNE = text("SELECT ledger.prune_v1(:as_of, :most)")
MOST_PRUNED = 5000


@cursor_job(SweepRetention)
def sweep(db: Session, payload: SweepRetention, cursor: Mapping[str, Any] | None) -> Again | None:
    """Enqueue one job a business, then end the platform's and the ledger's own rows, a batch a transaction."""
    as_of = min(payload.as_of, clock.now())  # a day ahead, by whoever's mistake, ends nothing early
    if cursor is None:
        db.execute(END_ACCESS, {"as_of": as_of})
        enqueue(db, PruneJournal(as_of=as_of))
        for business_id in db.execute(DUE, {"as_of": as_of}).scalars():
            enqueue(db, ExpireRows(business_id=business_id, as_of=as_of), business_id=business_id)
        ended = list(_to_end(db, as_of))
        if ended and db.execute(MONTH_DUE, {"as_of": as_of}).scalar():
            enqueue(db, CountMonths(as_of=as_of))
        for business_id in ended:
            enqueue(db, EndBusiness(business_id=business_id), business_id=business_id)
    more = expire(db, as_of, of_tenants=False)
    pruned: int = db.execute(PRUNE, {"as_of": as_of, "most": MOST_PRUNED}).scalar_one()
    return Again({"stage": "own_rows"}) if more or pruned >= MOST_PRUNED else None


def _to_end(db: Session, as_of: datetime) -> Iterator[UUID]:
    deadlines = read(db)
    for business_id, ended_at in db.execute(LEFT).all():
        if is_due(ended_at, copies_of(db, business_id), deadlines, as_of):
            yield business_id
