"""retention.expire: one business's rows that are past their end go, in batches."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from jobs.retention.payloads import ExpireRows
from ledger.job import cursor_job
from ledger.outcome import Again
from lifecycle.expire import expire


@cursor_job(ExpireRows)
def expire_rows(db: Session, payload: ExpireRows, cursor: Mapping[str, Any] | None) -> Again | None:  # noqa: ARG001
    """Delete one batch; the transaction sees this business's rows alone."""
    return Again({"stage": "rows"}) if expire(db, payload.as_of, of_tenants=True) else None
