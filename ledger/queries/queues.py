"""Queues: what waits in each and since when; and what is overdue because nobody moves it on."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

MOST_READ = 20_000
# Since when a job waits: since it was due, or since a worker last had it in hand and gave it back.
QUEUES = text("""
SELECT q.queue, count(h.id) FILTER (WHERE h.state = 'available') AS available,
       count(h.id) FILTER (WHERE h.state = 'dispatched') AS dispatched,
       count(h.id) FILTER (WHERE h.state = 'running') AS running,
       min(h.since) FILTER (WHERE h.state <> 'running') AS waiting_since,
       (array_agg(h.id ORDER BY h.since, h.id) FILTER (WHERE h.state <> 'running'))[1] AS oldest
FROM (SELECT DISTINCT queue FROM ledger.job_kinds) q
LEFT JOIN LATERAL (
  (SELECT id, state, greatest(run_at, claimed_at) AS since FROM ledger.jobs
   WHERE state = 'available' AND queue = q.queue LIMIT :most + 1)
  UNION ALL
  (SELECT id, state, greatest(run_at, claimed_at) FROM ledger.jobs
   WHERE state IN ('dispatched', 'running') AND queue = q.queue LIMIT :most + 1)
) h ON true
GROUP BY q.queue ORDER BY q.queue
""")
OVERDUE = text("""
SELECT count(*) AS late, min(run_at) AS since FROM (
  SELECT run_at FROM ledger.jobs WHERE state IN ('scheduled', 'retryable') AND run_at <= :before
  ORDER BY run_at LIMIT :most + 1
) late
""")


@dataclass(frozen=True, slots=True)
class QueueSeen:
    """One queue. `oldest` is the job that has waited longest; `at_least` where there were too many to read them all."""

    queue: str
    available: int
    dispatched: int
    running: int
    waiting_since: datetime | None
    oldest: int | None
    at_least: bool

    @property
    def waiting(self) -> int:
        """How many are due and have no worker."""
        return self.available + self.dispatched


@dataclass(frozen=True, slots=True)
class Overdue:
    """Jobs whose time has come and that no dispatcher has made available."""

    count: int
    at_least: bool
    since: datetime


def read_queues(db: Connection) -> tuple[QueueSeen, ...]:
    """Return every queue, by name."""
    return tuple(
        QueueSeen(
            queue=row.queue,
            available=min(row.available, MOST_READ),
            dispatched=row.dispatched,
            running=row.running,
            waiting_since=row.waiting_since,
            oldest=row.oldest,
            at_least=row.available > MOST_READ,
        )
        for row in db.execute(QUEUES, {"most": MOST_READ})
    )


def read_overdue(db: Connection, before: datetime) -> Overdue | None:
    """Return the jobs that were due before a moment and still wait to be made available; None if there are none."""
    row = db.execute(OVERDUE, {"before": before, "most": MOST_READ}).one()
    if row.since is None:
        return None
    return Overdue(min(row.late, MOST_READ), row.late > MOST_READ, row.since)
