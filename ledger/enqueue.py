"""Put a job in the ledger, inside the caller's transaction: by the same SQL function that everybody calls."""

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.payload import Payload

ENQUEUE = text(
    "SELECT ledger.enqueue_job_v1(:kind, CAST(:payload AS jsonb), CAST(:business_id AS uuid), :priority, "
    "CAST(:run_at AS timestamptz), CAST(:actor AS uuid))"
)
FOLLOW_UPS = "nexara_follow_ups"
"""Key in Session.info: how many jobs this transaction enqueued, so that the runner rings the bell after its commit."""


def enqueue(
    db: Session,
    payload: Payload,
    *,
    business_id: UUID | None = None,
    priority: int | None = None,
    run_at: datetime | None = None,
    actor: UUID | None = None,
) -> int:
    """Enqueue a job and return its id, or that of the open job with the same key.

    Without a business the transaction's own is taken. `run_at` is aware; what lies in the past is due now.
    """
    job_id: int = db.execute(
        ENQUEUE,
        {
            "kind": payload.kind,
            "payload": json.dumps(payload.stored()),
            "business_id": business_id,
            "priority": priority,
            "run_at": run_at,
            "actor": actor,
        },
    ).scalar_one()
    db.info[FOLLOW_UPS] = db.info.get(FOLLOW_UPS, 0) + 1
    return job_id
