"""privacy.anonymize: closed months are counted, once each, so that their rows may go."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from jobs.privacy.payloads import CountMonths
from ledger import clock
from ledger.job import cursor_job
from ledger.outcome import Again

COUNT = text("SELECT nexara.count_month_v1(:as_of)")


@cursor_job(CountMonths)
def count_months(db: Session, payload: CountMonths, cursor: Mapping[str, Any] | None) -> Again | None:  # noqa: ARG001
    """Count the oldest month that is due; whoever died had counted all of it or nothing."""
    counted = db.execute(COUNT, {"as_of": min(payload.as_of, clock.now())}).scalar()
    return Again({"stage": "months"}) if counted else None
