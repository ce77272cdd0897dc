"""What runs now, and on which worker."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

MOST_READ = 5_000
SHOWN = 12
RUNNING = text("""
SELECT * FROM (
  SELECT id, kind, queue, business_id, worker_id, attempt, started_at, claimed_at, deadline_at, progress, doing,
         cancel_requested_at
  FROM ledger.jobs WHERE state = 'running' ORDER BY worker_id LIMIT :most
) hand
ORDER BY started_at NULLS LAST, id LIMIT :shown
""")


@dataclass(frozen=True, slots=True)
class Running:
    """One job that a worker has in hand; `started_at` is None until its handler was entered."""

    id: int
    kind: str
    queue: str
    business_id: UUID
    worker_id: UUID | None
    attempt: int
    started_at: datetime | None
    claimed_at: datetime | None
    deadline_at: datetime | None
    progress: int | None
    doing: str | None
    cancel_requested_at: datetime | None


def read_running(db: Connection, shown: int = SHOWN) -> tuple[Running, ...]:
    """Return what has been running for longest."""
    rows: Any = db.execute(RUNNING, {"most": MOST_READ, "shown": shown})
    return tuple(Running(*row) for row in rows)
