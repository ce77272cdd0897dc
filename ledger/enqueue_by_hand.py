"""A job that somebody on call enqueues by hand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from ledger.operate import ask, ask_row

ENQUEUE = text(
    "SELECT ledger.enqueue_job_v1(:kind, CAST(:payload AS jsonb), CAST(:business AS uuid), "
    "CAST(:priority AS integer), CAST(:run_at AS timestamptz))"
)
NEW = text("SELECT enqueued_at = now() AS new FROM ledger.jobs WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Put:
    """The job that is there now; `joined` if an open one did the same already, and nothing was enqueued."""

    id: int
    joined: bool


def enqueue_by_hand(
    db: Connection,
    kind: str,
    payload: Mapping[str, Any],
    *,
    business_id: UUID,
    priority: int | None = None,
    run_at: datetime | None = None,
) -> Put:
    """Enqueue a job of any kind by the function that everybody calls; raises Refused with what is wrong."""
    given = {"kind": kind, "payload": json.dumps(payload), "business": business_id, "priority": priority}
    job_id = int(ask(db, ENQUEUE, {**given, "run_at": run_at}))
    return Put(job_id, joined=not ask_row(db, NEW, {"id": job_id}).new)
