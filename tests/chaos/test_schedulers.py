"""Schedulers that race, and one that was down: each tick is fired once, and what was missed as its policy says."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import NullPool, create_engine

from ledger import clock
from schedules.fire import fire_due, previous, ticks
from schedules.table import TIMETABLE, Missed, Schedule
from tests.chaos.world import World

DOWN = timedelta(days=3)
TICKS = "SELECT schedule, tick, due_at, outcome, job_id FROM ledger.ticks"
JOBS = "SELECT kind, payload ->> 'as_of' AS as_of FROM ledger.jobs"
RETENTION, RECONCILIATION, RECOVERY = (
    next(each for each in TIMETABLE if each.name == name) for name in ("retention", "reconciliation", "recovery")
)


def test_schedulers_that_start_together_after_days_fire_each_tick_once_and_as_its_policy_says(world: World) -> None:
    down_since = clock.now() - DOWN
    for schedule in TIMETABLE:
        _last_fired(world, schedule, previous(schedule, down_since))
    schedulers = [world.scheduler() for _ in range(3)]
    for scheduler in schedulers:
        scheduler.up()
    missed = {schedule.name: list(ticks(schedule, down_since, clock.now())) for schedule in TIMETABLE}
    world.until(
        lambda: len(world.sql(TICKS)) >= len(TIMETABLE) + sum(len(due) for due in missed.values()),
        "every missed tick is noted",
    )
    for scheduler in schedulers:
        assert scheduler.terminate(within=10) == 0

    noted = [row for row in world.sql(TICKS) if row.due_at > down_since]
    assert Counter(row.schedule for row in noted) == {name: len(due) for name, due in missed.items() if due}
    fired = Counter(row.schedule for row in noted if row.outcome == "fired")
    assert fired[RETENTION.name] == 1  # once, for all of them
    assert fired[RECONCILIATION.name] == len(missed[RECONCILIATION.name]) == DOWN.days
    assert fired[RECOVERY.name] <= 1  # skipped, unless one is due at this moment
    jobs = Counter(row.kind for row in world.sql(JOBS))
    assert jobs == {
        schedule.payload(down_since).kind: fired[schedule.name] for schedule in TIMETABLE if fired[schedule.name]
    }
    assert all((row.job_id is not None) == (row.outcome == "fired") for row in noted)


def test_a_scheduler_killed_in_a_tick_leaves_nothing_of_it_and_one_killed_after_it_fired_it_for_good(
    world: World,
) -> None:
    for schedule in TIMETABLE:
        _last_fired(world, schedule, previous(schedule, clock.now() - DOWN))
    before = len(world.sql(TICKS))
    with world.hold("LOCK TABLE ledger.jobs IN SHARE MODE") as jobs:
        killed = world.scheduler()
        jobs.waited_for("tick_v1")  # its row is written, its job is not
        killed.kill()
    world.until(lambda: not world.sql("SELECT FROM pg_locks WHERE NOT granted"), "its statement ran to its end")
    assert (len(world.sql(TICKS)), world.sql(JOBS)) == (before, [])
    killed = world.scheduler()
    world.until(lambda: world.sql(JOBS), "a tick is committed")
    killed.kill()
    world.scheduler()
    missed = {each.name for each in TIMETABLE if each.missed is not Missed.SKIP and _was_due(each)}
    world.until(lambda: len(_kinds(world)) == len(missed), "the others are fired, but for what is skipped or not due")
    ticks_of_retention = [row for row in world.sql(TICKS) if row.schedule == RETENTION.name and row.job_id]
    assert len(ticks_of_retention) == _kinds(world)[RETENTION.payload(clock.now()).kind] == 1


def _was_due(schedule: Schedule) -> bool:
    return bool(list(ticks(schedule, previous(schedule, clock.now() - DOWN), clock.now())))


def test_a_scheduler_that_starts_for_the_first_time_catches_up_nothing(world: World) -> None:
    schedulers = [world.scheduler() for _ in range(2)]
    for scheduler in schedulers:
        scheduler.up()
    world.until(lambda: len(world.sql(TICKS)) >= len(TIMETABLE), "a tick to count from is noted for each")
    assert {(row.outcome, row.job_id) for row in world.sql(TICKS)} == {("skipped", None)}
    assert world.sql(JOBS) == []


@pytest.mark.parametrize(
    ("missed", "fired"),
    [(Missed.ALL, [1, 2, 3, 4, 5, 6, 7]), (Missed.ONCE, [7]), (Missed.SKIP, [])],
)
def test_however_many_look_at_once_each_tick_is_fired_by_one(world: World, missed: Missed, fired: list[int]) -> None:
    schedule = replace(RETENTION, name="hourly", cron="0 * * * *", daily=False, missed=missed)
    last = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=7)
    if clock.now().minute < 6:  # the newest is late by less than a skipping schedule forgives
        last -= timedelta(hours=1)
        schedule = replace(schedule, cron=f"0 {','.join(str((last.hour + n) % 24) for n in range(8))} * * *")
    _last_fired(world, schedule, last)
    together = Barrier(8)
    engine = create_engine(world.worker_url, poolclass=NullPool)

    def look(_: int) -> list[int]:
        together.wait()
        return fire_due(engine, schedule)

    with ThreadPoolExecutor(8) as pool:
        jobs = [job for found in pool.map(look, range(8)) for job in found]
    assert len(jobs) == len(set(jobs)) == len(fired)
    due = [last + timedelta(hours=n) for n in fired]
    assert sorted(datetime.fromisoformat(row.as_of) for row in world.sql(JOBS)) == due
    assert len(world.sql(TICKS)) == 1 + 7


def _kinds(world: World) -> Counter[str]:
    return Counter(row.kind for row in world.sql(JOBS) if row.kind != RECOVERY.payload(clock.now()).kind)


def _last_fired(world: World, schedule: Schedule, due_at: datetime) -> None:
    world.sql(
        "INSERT INTO ledger.ticks (schedule, tick, due_at, outcome) VALUES (:name, :tick, :due_at, 'fired')",
        name=schedule.name,
        tick=schedule.tick(due_at),
        due_at=due_at,
    )
