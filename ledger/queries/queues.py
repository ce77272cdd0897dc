"""Queues: what waits in each and since when; and what is overdue because nobody moves it on."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

MOST_READ = 10_000
MOST_HEADS = 2_000
# Since when a job waits: since it was due, or since a worker last had it in hand and gave it back. The oldest is found
# from business to business through the index of what is available, so that a long backlog costs one step.
QUEUES = text("""
SELECT q.queue, a.found AS available, f.dispatched, f.running, w.since AS waiting_since, w.id AS oldest
FROM (SELECT DISTINCT queue FROM ledger.job_kinds) q
CROSS JOIN LATERAL (SELECT count(*) AS found FROM (
  SELECT FROM ledger.jobs WHERE state = 'available' AND queue = q.queue LIMIT :most + 1) known) a
CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE state = 'dispatched') AS dispatched,
         count(*) FILTER (WHERE state = 'running') AS running,
         min(since) FILTER (WHERE state = 'dispatched') AS since,
         (array_agg(id ORDER BY since, id) FILTER (WHERE state = 'dispatched'))[1] AS id
  FROM (SELECT id, state, greatest(run_at, claimed_at) AS since FROM ledger.jobs
        WHERE state IN ('dispatched', 'running') AND queue = q.queue LIMIT :most) known) f
LEFT JOIN LATERAL (
  WITH RECURSIVE heads AS (
    (SELECT id, priority, business_id, greatest(run_at, claimed_at) AS since FROM ledger.jobs
     WHERE state = 'available' AND queue = q.queue ORDER BY priority, business_id, run_at, id LIMIT 1)
    UNION ALL
    SELECT n.* FROM heads h CROSS JOIN LATERAL (
      SELECT id, priority, business_id, greatest(run_at, claimed_at) FROM ledger.jobs
      WHERE state = 'available' AND queue = q.queue AND (priority, business_id) > (h.priority, h.business_id)
      ORDER BY priority, business_id, run_at, id LIMIT 1) n
  )
  SELECT id, since FROM (
    (SELECT id, since FROM heads LIMIT :heads) UNION ALL (SELECT f.id, f.since WHERE f.id IS NOT NULL)
  ) waits ORDER BY since, id LIMIT 1
) w ON true
ORDER BY q.queue
""")
OVERDUE = text("""
SELECT count(*) AS late, min(run_at) AS since FROM (
  SELECT run_at FROM ledger.jobs WHERE state IN ('scheduled', 'retryable') AND run_at <= :before
  ORDER BY run_at LIMIT :most + 1
) late
""")


@dataclass(frozen=True, slots=True)
class QueueSeen:
    """One queue. `oldest` is the job that has waited longest; `at_least` where there were too many to count."""

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
        for row in db.execute(QUEUES, {"most": MOST_READ, "heads": MOST_HEADS})
    )


def read_overdue(db: Connection, before: datetime) -> Overdue | None:
    """Return the jobs that were due before a moment and still wait to be made available; None if there are none."""
    row = db.execute(OVERDUE, {"before": before, "most": MOST_READ}).one()
    if row.since is None:
        return None
    return Overdue(min(row.late, MOST_READ), row.late > MOST_READ, row.since)
