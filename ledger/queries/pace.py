"""How fast jobs end: by the minute, over an hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

MOST_COUNTED = 2_000
MINUTES = 60
PACE = text("""
SELECT m.minute, s.count AS succeeded, s.until AS succeeded_until, d.count AS dead, d.until AS dead_until
FROM generate_series(CAST(:first AS timestamptz), CAST(:last AS timestamptz), interval '1 minute') AS m(minute),
  LATERAL (SELECT count(*), max(finished_at) AS until FROM (
    SELECT finished_at FROM ledger.jobs
    WHERE state = 'succeeded' AND finished_at >= m.minute AND finished_at < m.minute + interval '1 minute'
    ORDER BY finished_at LIMIT :most) ended) s,
  LATERAL (SELECT count(*), max(finished_at) AS until FROM (
    SELECT finished_at FROM ledger.jobs
    WHERE state = 'dead' AND finished_at >= m.minute AND finished_at < m.minute + interval '1 minute'
    ORDER BY finished_at LIMIT :most) ended) d
ORDER BY m.minute
""")


@dataclass(frozen=True, slots=True)
class Minute:
    """The jobs that ended in one minute. `about` where its first seconds held so many that the rest is inferred."""

    minute: datetime
    succeeded: int
    dead: int
    about: bool


def read_pace(db: Connection, until: datetime) -> tuple[Minute, ...]:
    """Return the last MINUTES minutes, oldest first; the last one is still running."""
    last = until.replace(second=0, microsecond=0)
    rows = db.execute(PACE, {"first": last - timedelta(minutes=MINUTES - 1), "last": last, "most": MOST_COUNTED})
    return tuple(
        Minute(
            minute=row.minute,
            succeeded=_whole(row.succeeded, row.minute, row.succeeded_until),
            dead=_whole(row.dead, row.minute, row.dead_until),
            about=MOST_COUNTED in (row.succeeded, row.dead),
        )
        for row in rows
    )


def _whole(count: int, minute: datetime, until: datetime | None) -> int:
    """Return a minute's count, inferred from its first seconds if they held MOST_COUNTED."""
    if count < MOST_COUNTED or until is None:
        return count
    return round(count * 60 / max((until - minute).total_seconds(), 0.001))
