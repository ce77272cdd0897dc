"""Fire a schedule's tick exactly once: its row and its job are one transaction."""

import json
from datetime import datetime

from sqlalchemy import Connection, text

from ledger.payload import Payload

TICK = text("SELECT ledger.tick_v1(:schedule, :tick, :due_at, :kind, CAST(:payload AS jsonb), :fire)")
LAST = text("SELECT ledger.last_tick_v1(:schedule)")


def fire(
    db: Connection, schedule: str, tick: str, due_at: datetime, payload: Payload, *, skip: bool = False
) -> int | None:
    """Enqueue the tick's job and return its id; None if it is not due, fired already, or only noted as skipped."""
    job_id: int | None = db.execute(
        TICK,
        {
            "schedule": schedule,
            "tick": tick,
            "due_at": due_at,
            "kind": payload.kind,
            "payload": json.dumps(payload.stored()),
            "fire": not skip,
        },
    ).scalar_one()
    return job_id


def last(db: Connection, schedule: str) -> datetime | None:
    """Return when the schedule's last known tick was due; None before its first."""
    due: datetime | None = db.execute(LAST, {"schedule": schedule}).scalar_one()
    return due
