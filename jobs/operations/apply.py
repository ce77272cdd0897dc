"""operations.apply: one operation on many jobs is done, a batch a transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from jobs.operations.payloads import ApplyOperation
from ledger.job import cursor_job
from ledger.outcome import Again, Cancel
from models.operations import Standing

OPERATE = text("SELECT state, percent FROM ledger.operate_v1(:id)")


@cursor_job(ApplyOperation)
def apply(db: Session, payload: ApplyOperation, cursor: Mapping[str, Any] | None) -> Again | Cancel | None:  # noqa: ARG001
    """Do the next batch; which one that is, the ledger knows: what is done has left its rows."""
    came_to = db.execute(OPERATE, {"id": payload.operation_id}).one_or_none()
    if came_to is None:
        return Cancel("no_such_operation")
    if came_to.state == Standing.WORKING:
        return Again({"stage": "batches"}, came_to.percent, "operating")
    return None
