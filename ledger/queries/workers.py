"""Workers: who lives, and how much each has in hand."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

WORKERS = text("""
SELECT w.id, w.threads, cardinality(w.kinds) AS kinds, w.signed_on_at, w.heartbeat_at,
       (SELECT count(*) FROM ledger.jobs j WHERE j.state = 'running' AND j.worker_id = w.id) AS running
FROM ledger.workers w
ORDER BY w.heartbeat_at DESC LIMIT 200
""")


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """One worker process that has not signed off."""

    id: UUID
    threads: int
    kinds: int
    signed_on_at: datetime
    heartbeat_at: datetime
    running: int


def read_workers(db: Connection) -> tuple[WorkerSeen, ...]:
    """Return the workers, the last heard of first."""
    return tuple(WorkerSeen(*row) for row in db.execute(WORKERS))
