"""Fire what is due, each tick exactly once however many schedulers look."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from ledger import clock
from ledger.tick import fire, last
from schedules.table import Missed, Schedule

MOST_AT_ONCE = 1000
"""Ticks noted in one look; a schedule that slept longer is caught up by the looks after it."""


def fire_due(engine: Engine, schedule: Schedule) -> list[int]:
    """Fire the ticks due since the last known one, as the schedule's policy says; returns the ids of the jobs.

    A schedule's first run ever catches up nothing: it notes the tick before now as skipped, to count from.
    """
    now = clock.now()
    with engine.begin() as db:
        since = last(db, schedule.name)
        if since is None:
            fire_one(db, schedule, previous(schedule, now), skip=True)
            return []
        due = list(ticks(schedule, since, now))
        jobs = [fire_one(db, schedule, due_at, skip=_skips(schedule, due, due_at, now)) for due_at in due]
    return [job_id for job_id in jobs if job_id is not None]


def fire_one(db: Connection, schedule: Schedule, due_at: datetime, *, skip: bool) -> int | None:
    """Fire one tick, or note it as skipped; returns its job."""
    return fire(db, schedule.name, schedule.tick(due_at), due_at, schedule.payload(due_at), skip=skip)


def ticks(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the moments at which the schedule was due, after one and up to another, oldest first."""
    trigger = schedule.trigger
    moment = after
    for _ in range(MOST_AT_ONCE):
        upcoming = trigger.get_next_fire_time(moment, moment + timedelta(microseconds=1))
        if upcoming is None or upcoming > until:
            return
        yield upcoming
        moment = upcoming


def previous(schedule: Schedule, now: datetime) -> datetime:
    """Return the last moment up to now at which the schedule was due."""
    for hours in (1, 25, 8 * 24, 32 * 24, 367 * 24):
        found = list(ticks(schedule, now - timedelta(hours=hours), now))
        if found:
            return found[-1]
    raise ValueError(f"{schedule.name} was never due in the last year")


def _skips(schedule: Schedule, due: list[datetime], due_at: datetime, now: datetime) -> bool:
    """Whether a missed tick is only noted; the newest is late by at most a period, and runs unless it may skip."""
    newest = due_at == due[-1]
    match schedule.missed:
        case Missed.ALL:
            return False
        case Missed.ONCE:
            return not newest
        case Missed.SKIP:
            return not newest or now - due_at > timedelta(minutes=5)
