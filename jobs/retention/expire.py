"""retention.expire: one business's rows that are past their end go, in batches."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from jobs.retention.payloads import ExpireRows
from ledger import clock
from ledger.job import cursor_job
from ledger.outcome import Again
from lifecycle.expire import expire


@cursor_job(ExpireRows)
def expire_rows(db: Session, payload: ExpireRows, cursor: Mapping[str, Any] | None) -> Again | None:  # noqa: ARG001
    """Delete one batch; the transaction sees this business's rows alone, and a day ahead ends nothing early."""
    as_of = min(payload.as_of, clock.now())
    return Again({"stage": "rows"}) if expire(db, as_of, of_tenants=True) else None
