"""Everything the overview shows, read at one moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from dashboard import timetable
from ledger.pause import Pause, pauses
from ledger.queries import (
    FailureGroup,
    LimitSeen,
    Minute,
    OpenTransaction,
    Overdue,
    QueueSeen,
    StateCount,
    WorkerSeen,
    count_states,
    group_failures,
    read_limits,
    read_oldest,
    read_overdue,
    read_pace,
    read_queues,
    read_ticks,
    read_workers,
)
from models.ledger import State

FINISHED_WITHIN = timedelta(hours=24)
FAILED_WITHIN = timedelta(hours=1)
OVERDUE_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Figures:
    """The state of the ledger; finished jobs are those of FINISHED_WITHIN, failures those of FAILED_WITHIN."""

    now: datetime
    counts: dict[State, StateCount]
    queues: tuple[QueueSeen, ...]
    overdue: Overdue | None
    workers: tuple[WorkerSeen, ...]
    failures: tuple[FailureGroup, ...]
    pace: tuple[Minute, ...]
    schedules: tuple[timetable.Entry, ...]
    pauses: tuple[Pause, ...]
    oldest: OpenTransaction | None
    limits: tuple[LimitSeen, ...]

    @property
    def waiting(self) -> int:
        """How many jobs are due and have no worker."""
        return sum(queue.waiting for queue in self.queues)


def read_figures(db: Connection, now: datetime) -> Figures:
    """Read the overview's figures."""
    return Figures(
        now=now,
        counts=count_states(db, now - FINISHED_WITHIN),
        queues=read_queues(db),
        overdue=read_overdue(db, now - OVERDUE_AFTER),
        workers=read_workers(db),
        failures=group_failures(db, now - FAILED_WITHIN),
        pace=read_pace(db, now),
        schedules=timetable.entries(read_ticks(db, timetable.names(), 1), now),
        pauses=tuple(pauses(db)),
        oldest=read_oldest(db),
        limits=read_limits(db),
    )
