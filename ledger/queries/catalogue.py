"""The kinds of jobs with their terms, and the latest ticks of the timetable."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from models.ledger import State, TickOutcome

KINDS = text(
    "SELECT kind, queue, priority, fields, unique_by, until_done, timeout, max_attempts, give_up_after, about "
    "FROM ledger.job_kinds ORDER BY kind"
)
TICKS = text("""
SELECT t.schedule, t.tick, t.due_at, t.noted_at, t.outcome, t.job_id, j.state
FROM unnest(CAST(:schedules AS text[])) AS s(schedule), LATERAL (
  SELECT * FROM ledger.ticks WHERE schedule = s.schedule ORDER BY tick DESC LIMIT :each
) t LEFT JOIN ledger.jobs j ON j.id = t.job_id
ORDER BY t.schedule, t.due_at DESC
""")


LATE = timedelta(minutes=3)
"""A scheduler looks every minute: a tick that is noted later than this was missed and caught up."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of job. `fields` is each field of its payload by name: its type, whether required, and its codes."""

    kind: str
    queue: str
    priority: int
    fields: dict[str, dict[str, Any]]
    unique_by: list[str] | None
    until_done: bool
    timeout: timedelta
    max_attempts: int
    give_up_after: timedelta
    about: str


@dataclass(frozen=True, slots=True)
class TickSeen:
    """One tick that was noted. `state` is that of its job, None once that is forgotten."""

    schedule: str
    tick: str
    due_at: datetime
    noted_at: datetime
    outcome: TickOutcome
    job_id: int | None
    state: State | None

    @property
    def late(self) -> bool:
        """Whether it was fired when a scheduler that runs would have fired it long before."""
        return self.outcome is TickOutcome.FIRED and self.noted_at - self.due_at > LATE


def read_kinds(db: Connection) -> tuple[Kind, ...]:
    """Return the kinds, by name."""
    return tuple(Kind(*row) for row in db.execute(KINDS))


def read_ticks(db: Connection, schedules: Sequence[str], each: int) -> tuple[TickSeen, ...]:
    """Return the latest `each` ticks of every schedule, the latest first."""
    rows = db.execute(TICKS, {"schedules": list(schedules), "each": each})
    return tuple(
        TickSeen(
            schedule=row.schedule,
            tick=row.tick,
            due_at=row.due_at,
            noted_at=row.noted_at,
            outcome=TickOutcome(row.outcome),
            job_id=row.job_id,
            state=None if row.state is None else State(row.state),
        )
        for row in rows
    )
