"""Everything the overview shows, read at one moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from dashboard import timetable
from jobs.queues import promise
from ledger.pause import Pause, pauses
from ledger.queries import (
    CameOf,
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
    read_came_of,
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
RECONCILIATION, RETENTION = "reconciliation", "retention"
"""Schedules whose runs find work for other jobs."""


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
class Nightly:
    """A schedule that finds work for others: when it ran last, and what came of that; nothing where its job is gone."""

    entry: timetable.Entry
    came: CameOf


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
    reconciliation: Nightly
    retention: Nightly
    pauses: tuple[Pause, ...]
    oldest: OpenTransaction | None
    limits: tuple[LimitSeen, ...]
    not_ended: tuple[Alarm, ...]

    @property
    def waiting(self) -> int:
        """How many jobs are due and have no worker."""
        return sum(queue.seen.waiting for queue in self.queues)


def read_figures(db: Connection, now: datetime, span: Span = Span.HOUR) -> Figures:
    """Read the overview's figures; `span` is that of its chart."""
    schedules = timetable.entries(read_ticks(db, timetable.names(), 1), now)
    nightly = _nightly(db, schedules)
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
        schedules=schedules,
        reconciliation=nightly[RECONCILIATION],
        retention=nightly[RETENTION],
        pauses=tuple(pauses(db)),
        oldest=read_oldest(db),
        limits=read_limits(db),
        not_ended=alarms(db, now),
    )


def _nightly(db: Connection, schedules: tuple[timetable.Entry, ...]) -> dict[str, Nightly]:
    entries = {entry.schedule.name: entry for entry in schedules if entry.schedule.name in (RECONCILIATION, RETENTION)}
    ran = {name: entry.last.job_id for name, entry in entries.items() if entry.last and entry.last.job_id}
    came = read_came_of(db, tuple(ran.values()))
    return {name: Nightly(entry, came.get(ran.get(name, 0), CameOf())) for name, entry in entries.items()}


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
