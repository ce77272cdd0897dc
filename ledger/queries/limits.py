"""Limits and how much of each is in use."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

# What is in flight is counted over the index of what is: some hundreds of rows, whatever waits or has ended.
LIMITS = text("""
SELECT l.subject, l.name, l.most, l.calls, l.per, l.who, l.why, l.since,
       CASE WHEN l.blocked_until > clock_timestamp() THEN l.blocked_until END AS blocked_until,
       flying.count AS in_flight, k.queues
FROM ledger.limits l
CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(DISTINCT queue ORDER BY queue), '{}') AS queues FROM ledger.job_kinds
  WHERE l.subject = 'business' OR (l.subject = 'queue' AND queue = l.name) OR l.name = ANY (vendors)
) k
CROSS JOIN LATERAL (
  SELECT count(*) FROM (
    SELECT FROM ledger.jobs j
    WHERE j.queue = ANY (k.queues) AND j.state IN ('dispatched', 'running')
      AND (l.subject <> 'business' OR j.business_id = CASE WHEN l.subject = 'business' AND l.name <> 'each'
                                                        THEN l.name::uuid END)
    LIMIT :most) one
) flying
ORDER BY l.subject DESC, l.name
""")
MOST_READ = 20_000


@dataclass(frozen=True, slots=True)
class LimitSeen:
    """A limit, what it lets through and what of it is in use; `queues` are those that it slows down.

    `in_flight` is None for the limit of each business: there is one for each of them.
    """

    subject: str
    name: str
    most: int | None
    calls: int | None
    per: timedelta | None
    who: str
    why: str
    since: datetime
    blocked_until: datetime | None
    in_flight: int | None
    queues: tuple[str, ...]


def read_limits(db: Connection) -> tuple[LimitSeen, ...]:
    """Return every limit: vendors first, then queues, then businesses."""
    return tuple(
        LimitSeen(
            **{**row, "queues": tuple(row["queues"]), "in_flight": None if row["name"] == "each" else row["in_flight"]}
        )
        for row in db.execute(LIMITS, {"most": MOST_READ}).mappings()
    )
