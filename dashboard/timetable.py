"""The timetable beside what became of it: last, next and missed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ledger.queries import TickSeen
from ledger.queries.catalogue import LATE
from models.ledger import TickOutcome
from schedules.fire import previous
from schedules.table import TIMETABLE, Schedule


@dataclass(frozen=True, slots=True)
class Entry:
    """One schedule; `missed` is when it was last due, if nothing came of that."""

    schedule: Schedule
    ticks: tuple[TickSeen, ...]
    next: datetime | None
    missed: datetime | None

    @property
    def last(self) -> TickSeen | None:
        """The latest tick that was noted."""
        return self.ticks[0] if self.ticks else None

    @property
    def skipped(self) -> int:
        """How many of the ticks were noted and not run."""
        return sum(tick.outcome is TickOutcome.SKIPPED for tick in self.ticks)

    @property
    def late(self) -> int:
        """How many of the ticks were missed and caught up."""
        return sum(tick.late for tick in self.ticks)


def names() -> list[str]:
    """Return the names of all schedules."""
    return [schedule.name for schedule in TIMETABLE]


def entries(ticks: Iterable[TickSeen], now: datetime) -> tuple[Entry, ...]:
    """Return the timetable with its ticks."""
    noted = list(ticks)
    return tuple(
        _entry(schedule, tuple(tick for tick in noted if tick.schedule == schedule.name), now) for schedule in TIMETABLE
    )


def _entry(schedule: Schedule, ticks: tuple[TickSeen, ...], now: datetime) -> Entry:
    due = previous(schedule, now - LATE)
    missed = ticks and ticks[0].due_at < due
    return Entry(
        schedule=schedule,
        ticks=ticks,
        next=schedule.trigger.get_next_fire_time(None, now),
        missed=due if missed else None,
    )
