"""How long jobs of each kind take, and how many ended: over the last day, from what was counted of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

WITHIN = timedelta(hours=24)
BUCKETS = text("""
SELECT kind, bucket, sum(count)::integer AS count FROM ledger.durations WHERE hour >= :since GROUP BY 1, 2 ORDER BY 1, 2
""")
OUTCOMES = text("""
SELECT kind, sum(count) FILTER (WHERE outcome = 'succeeded')::integer AS succeeded,
       sum(count) FILTER (WHERE outcome = 'dead')::integer AS dead,
       sum(count) FILTER (WHERE outcome = 'failed')::integer AS failed
FROM ledger.pace WHERE minute >= :since GROUP BY kind
""")


@dataclass(frozen=True, slots=True)
class Took:
    """How a kind's last day went: jobs that ended and attempts that failed.

    `p50`, `p95` and `p99` are how long an attempt that succeeded took, in seconds and within a tenth; None without any.
    """

    succeeded: int = 0
    dead: int = 0
    failed: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


def read_durations(db: Connection, now: datetime) -> dict[str, Took]:
    """Return the last day of each kind of which something ended, by kind."""
    buckets: dict[str, list[tuple[int, int]]] = {}
    for kind, bucket, count in db.execute(BUCKETS, {"since": now - WITHIN}):
        buckets.setdefault(kind, []).append((bucket, count))
    return {
        row.kind: Took(
            row.succeeded or 0,
            row.dead or 0,
            row.failed or 0,
            *(percentile(buckets.get(row.kind, []), share) for share in (0.5, 0.95, 0.99)),
        )
        for row in db.execute(OUTCOMES, {"since": now - WITHIN})
    }


def percentile(buckets: list[tuple[int, int]], share: float) -> float | None:
    """Return the length in seconds that a share of the jobs stayed under, from buckets in their order."""
    wanted = share * sum(count for _, count in buckets)
    passed = 0
    for bucket, count in buckets:
        passed += count
        if passed >= wanted:
            return float(f"{2 ** ((bucket + 0.5) / 4) / 1000:.2g}")  # the middle of its bucket
    return None
