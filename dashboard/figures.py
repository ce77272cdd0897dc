"""Everything the overview shows, read at one moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from dashboard import timetable
from jobs.queues import promise
from ledger.pause import Pause, pauses
from ledger.queries import (
    FailureGroup,
    LimitSeen,
    OpenTransaction,
    Overdue,
    QueueSeen,
    Running,
    Slot,
    Span,
    StateCount,
    WorkerSeen,
    count_states,
    counted_until,
    group_failures,
    read_limits,
    read_oldest,
    read_overdue,
    read_pace,
    read_queues,
    read_running,
    read_ticks,
    read_workers,
)
from lifecycle.alarms import Alarm, alarms
from models.ledger import State

FINISHED_WITHIN = timedelta(hours=24)
FAILED_WITHIN = timedelta(hours=1)
OVERDUE_AFTER = timedelta(seconds=30)
RECONCILIATION = "reconciliation"


@dataclass(frozen=True, slots=True)
class QueueStands:
    """One queue beside its promise: how long its oldest due job has waited, and how long it may."""

    seen: QueueSeen
    waited: timedelta
    promise: timedelta

    @property
    def late(self) -> bool:
        """Whether the promise is broken."""
        return self.waited > self.promise

    @property
    def percent(self) -> int:
        """How much of the promise is used up, 100 where it is broken."""
        return min(100, round(100 * (self.waited / self.promise)))


@dataclass(frozen=True, slots=True)
class Figures:
    """The state of the ledger; finished jobs are those of FINISHED_WITHIN, failures those of FAILED_WITHIN.

    `counted` is up to when a dispatcher has counted what ended, None if none ever has.
    """

    now: datetime
    counts: dict[State, StateCount]
    queues: tuple[QueueStands, ...]
    overdue: Overdue | None
    running: tuple[Running, ...]
    workers: tuple[WorkerSeen, ...]
    failures: tuple[FailureGroup, ...]
    span: Span
    pace: tuple[Slot, ...]
    counted: datetime | None
    schedules: tuple[timetable.Entry, ...]
    pauses: tuple[Pause, ...]
    oldest: OpenTransaction | None
    limits: tuple[LimitSeen, ...]
    retention: tuple[Alarm, ...]

    @property
    def waiting(self) -> int:
        """How many jobs are due and have no worker."""
        return sum(queue.seen.waiting for queue in self.queues)

    @property
    def reconciliation(self) -> timetable.Entry | None:
        """The schedule that compares ended conversations with the meter."""
        return next((entry for entry in self.schedules if entry.schedule.name == RECONCILIATION), None)


def read_figures(db: Connection, now: datetime, span: Span = Span.HOUR) -> Figures:
    """Read the overview's figures; `span` is that of its chart."""
    return Figures(
        now=now,
        counts=count_states(db, now - FINISHED_WITHIN),
        queues=stand(read_queues(db), now),
        overdue=read_overdue(db, now - OVERDUE_AFTER),
        running=read_running(db),
        workers=read_workers(db),
        failures=group_failures(db, now - FAILED_WITHIN),
        span=span,
        pace=read_pace(db, now, span),
        counted=counted_until(db),
        schedules=timetable.entries(read_ticks(db, timetable.names(), 1), now),
        pauses=tuple(pauses(db)),
        oldest=read_oldest(db),
        limits=read_limits(db),
        retention=alarms(db, now),
    )


def stand(queues: tuple[QueueSeen, ...], now: datetime) -> tuple[QueueStands, ...]:
    """Hold queues against their promises."""
    return tuple(
        QueueStands(
            seen=queue,
            waited=max(now - queue.waiting_since, timedelta()) if queue.waiting_since else timedelta(),
            promise=promise(queue.queue),
        )
        for queue in queues
    )
