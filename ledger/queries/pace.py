"""How fast jobs end and fail: what was counted a minute after it happened, and the latest minutes as they are."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, text

MOST_COUNTED = 2_000
"""Jobs of one of the latest minutes that are counted one by one; of more the minute's pace is inferred."""
LATEST = timedelta(minutes=10)
"""How far back jobs are counted one by one where nobody has counted them."""
COUNTED_UNTIL = text("SELECT until FROM ledger.pace_until WHERE id = 1")
COUNTED = text("""
SELECT date_bin(:step, minute, :first) AS start, outcome, sum(count)::integer AS ended
FROM ledger.pace
WHERE minute >= :first AND minute < :until AND outcome IN ('succeeded', 'dead', 'failed')
  AND (CAST(:kind AS text) IS NULL OR kind = :kind)
GROUP BY 1, 2
""")
ENDED = """
LATERAL (SELECT count(*) AS count, max(at) AS until FROM (
  SELECT finished_at AS at FROM ledger.jobs
  WHERE state = '{state}' AND finished_at >= greatest(m.minute, :from) AND finished_at < m.minute + interval '1 minute'
  ORDER BY finished_at LIMIT :most) ended) {state}
"""
FAILED = """
LATERAL (SELECT count(*) AS count, max(at) AS until FROM (
  SELECT ended_at AS at FROM ledger.attempts
  WHERE ended_at >= greatest(m.minute, :from) AND ended_at < m.minute + interval '1 minute' AND outcome <> 'cancelled'
  ORDER BY ended_at LIMIT :most) ended) failed
"""
RECENT = text(
    f"""
SELECT greatest(m.minute, :from) AS start, succeeded.count AS succeeded, succeeded.until AS succeeded_until,
       dead.count AS dead, dead.until AS dead_until, failed.count AS failed, failed.until AS failed_until
FROM generate_series(date_trunc('minute', CAST(:from AS timestamptz)), :to, interval '1 minute') AS m(minute),
{ENDED.format(state="succeeded")}, {ENDED.format(state="dead")}, {FAILED}
ORDER BY 1
"""  # noqa: S608 - of our own words
)


class Span(StrEnum):
    """How far back a chart goes."""

    HOUR = "1h"
    QUARTER = "6h"
    DAY = "24h"

    @property
    def step(self) -> timedelta:
        """How much of it is one bar."""
        return {Span.HOUR: timedelta(minutes=1), Span.QUARTER: timedelta(minutes=5), Span.DAY: timedelta(minutes=15)}[
            self
        ]

    @property
    def bars(self) -> int:
        """How many bars there are."""
        return {Span.HOUR: 60, Span.QUARTER: 72, Span.DAY: 96}[self]

    @property
    def words(self) -> str:
        """The span as it is said."""
        return {Span.HOUR: "hour", Span.QUARTER: "6 hours", Span.DAY: "24 hours"}[self]


@dataclass(frozen=True, slots=True)
class Slot:
    """What ended from `start` on: jobs that succeeded and died, and attempts that failed.

    `about` where so many ended within a minute that the rest of it is inferred from its first seconds.
    """

    start: datetime
    succeeded: int = 0
    dead: int = 0
    failed: int = 0
    about: bool = False


def read_pace(db: Connection, now: datetime, span: Span = Span.HOUR, kind: str | None = None) -> tuple[Slot, ...]:
    """Return the slots of a span, oldest first; the last is still running.

    Of one kind only what has been counted is told: the last minute is not in it.
    """
    latest = _floor(now, span.step)
    first = latest - span.step * (span.bars - 1)
    slots = {first + span.step * n: Slot(first + span.step * n) for n in range(span.bars)}
    until = max(db.execute(COUNTED_UNTIL).scalar() or first, now - LATEST, first)
    given = {"step": span.step, "first": first, "until": now, "kind": kind}
    for row in db.execute(COUNTED, given):
        slots[row.start] = _with(slots[row.start], row.outcome, row.ended)
    if kind is None and until < now:
        for row in db.execute(RECENT, {"from": until, "to": now, "most": MOST_COUNTED}):
            start = first + (row.start - first) // span.step * span.step
            slots[start] = _recent(slots[start], row, min(row.start.replace(second=0) + timedelta(minutes=1), now))
    return tuple(slots[start] for start in sorted(slots))


def counted_until(db: Connection) -> datetime | None:
    """Return up to when a dispatcher has counted; None if none ever has."""
    until: datetime | None = db.execute(COUNTED_UNTIL).scalar()
    return until


def _recent(slot: Slot, row: Any, end: datetime) -> Slot:
    for outcome in ("succeeded", "dead", "failed"):
        count = getattr(row, outcome)
        if count == MOST_COUNTED:  # what its first seconds held, for all of them
            passed = max((getattr(row, f"{outcome}_until") - row.start).total_seconds(), 0.001)
            count = max(count, round(count * (end - row.start).total_seconds() / passed))
            slot = replace(slot, about=True)
        slot = _with(slot, outcome, count)
    return slot


def _with(slot: Slot, outcome: str, count: int) -> Slot:
    more: dict[str, Any] = {outcome: getattr(slot, outcome) + count}
    return replace(slot, **more)


def _floor(moment: datetime, step: timedelta) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day + (moment - day) // step * step
