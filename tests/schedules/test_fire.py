"""Firing: each tick exactly once, by the policy of its schedule and the database's clock."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jobs.registry import load
from ledger import clock
from ledger.contract import publish
from ledger.payload import Payload
from schedules.fire import fire_due, fire_one, previous
from schedules.table import TIMETABLE, Missed, Schedule
from tests.ledger.conftest import Ledger
from tests.ledger.kinds import Count, Dry

HOURS = 5


def hourly(missed: Missed, *, payload: Callable[[datetime], Payload] | None = None) -> Schedule:
    """A schedule that was last due half an hour ago, long enough for a scheduler to be late."""
    minute = (clock.now() - timedelta(minutes=30)).minute
    return schedule(f"{minute} * * * *", missed, payload=payload)


def schedule(
    cron: str, missed: Missed, *, daily: bool = False, payload: Callable[[datetime], Payload] | None = None
) -> Schedule:
    return Schedule(
        name="test",
        cron=cron,
        zone="UTC",
        payload=payload or (lambda due_at: Dry(wall_id=uuid5(NAMESPACE_URL, due_at.isoformat()))),
        missed=missed,
        daily=daily,
        about="A test.",
    )


def ran_until(ledger: Ledger, schedule: Schedule, when: datetime) -> datetime:
    """Leave a schedule as if its schedulers had stopped at a moment; returns its last tick."""
    due_at = previous(schedule, when)
    with ledger.worker.begin() as db:
        assert fire_one(db, schedule, due_at, skip=True) is None
    return due_at


def noted(ledger: Ledger) -> list[Any]:
    with ledger.admin.begin() as db:
        return list(db.execute(text("SELECT tick, due_at, outcome, job_id FROM ledger.ticks ORDER BY due_at")))


def outcomes(ledger: Ledger) -> list[str]:
    return [tick.outcome for tick in noted(ledger)]


@pytest.mark.parametrize("missed", Missed)
def test_the_first_run_ever_catches_nothing_up_and_counts_from_there(ledger: Ledger, missed: Missed) -> None:
    tested = hourly(missed)
    assert fire_due(ledger.worker, tested) == []
    (tick,) = noted(ledger)
    assert (tick.outcome, tick.job_id, tick.due_at) == ("skipped", None, previous(tested, clock.now()))
    assert fire_due(ledger.worker, tested) == []
    assert len(noted(ledger)) == 1


def test_of_all_that_were_missed_each_is_run(ledger: Ledger) -> None:
    tested = hourly(Missed.ALL)
    last = ran_until(ledger, tested, clock.now() - timedelta(hours=HOURS))
    jobs = fire_due(ledger.worker, tested)
    assert len(jobs) == HOURS
    assert outcomes(ledger) == ["skipped"] + ["fired"] * HOURS
    assert [tick.due_at for tick in noted(ledger)] == [last + timedelta(hours=number) for number in range(HOURS + 1)]
    assert [tick.job_id for tick in noted(ledger)[1:]] == jobs
    first = ledger.job(jobs[0])
    assert (first.kind, first.business_id) == ("walls.dry", UUID(int=0))
    assert first.payload == {"wall_id": str(uuid5(NAMESPACE_URL, (last + timedelta(hours=1)).isoformat()))}
    assert fire_due(ledger.worker, tested) == []


def test_for_all_that_were_missed_there_is_one_run(ledger: Ledger) -> None:
    tested = hourly(Missed.ONCE)
    ran_until(ledger, tested, clock.now() - timedelta(hours=HOURS))
    (job_id,) = fire_due(ledger.worker, tested)
    assert outcomes(ledger) == ["skipped"] * HOURS + ["fired"]
    assert noted(ledger)[-1].job_id == job_id
    assert fire_due(ledger.worker, tested) == []


def test_what_was_missed_is_skipped(ledger: Ledger) -> None:
    tested = hourly(Missed.SKIP)
    ran_until(ledger, tested, clock.now() - timedelta(hours=HOURS))
    assert fire_due(ledger.worker, tested) == []
    assert outcomes(ledger) == ["skipped"] * (HOURS + 1)


@pytest.mark.parametrize("missed", Missed)
def test_what_is_due_now_is_run_under_every_policy(ledger: Ledger, missed: Missed) -> None:
    tested = schedule(f"{(clock.now() - timedelta(minutes=2)).minute} * * * *", missed)
    ran_until(ledger, tested, clock.now() - timedelta(minutes=30))
    assert len(fire_due(ledger.worker, tested)) == 1
    assert outcomes(ledger) == ["skipped", "fired"]


def test_many_schedulers_at_once_fire_once(ledger: Ledger) -> None:
    tested = hourly(Missed.ALL)
    ran_until(ledger, tested, clock.now() - timedelta(hours=HOURS))
    together = Barrier(4)

    def look(_: int) -> list[int]:
        together.wait(10)
        return fire_due(ledger.worker, tested)

    with ThreadPoolExecutor(4) as schedulers:
        fired = [job_id for jobs in schedulers.map(look, range(4)) for job_id in jobs]
    assert len(fired) == len(set(fired)) == HOURS
    assert ledger.sql("SELECT count(*) FROM ledger.jobs") == HOURS


def test_one_that_fires_while_another_has_not_committed_waits_and_fires_nothing(ledger: Ledger) -> None:
    tested = hourly(Missed.ALL)
    last = ran_until(ledger, tested, clock.now() - timedelta(hours=2))
    with ThreadPoolExecutor(1) as other, ledger.worker.begin() as db:
        first = fire_one(db, tested, last + timedelta(hours=1), skip=False)
        looks = other.submit(fire_due, ledger.worker, tested)
        with pytest.raises(TimeoutError):
            looks.result(0.3)
        db.commit()
        (second,) = looks.result(10)
    assert first != second
    assert [tick.job_id for tick in noted(ledger)] == [None, first, second]


def test_nothing_is_fired_before_it_is_due_by_the_databases_clock(ledger: Ledger) -> None:
    tested = schedule("0 0 * * *", Missed.ALL, daily=True)
    tomorrow = tested.trigger.get_next_fire_time(None, clock.now())
    assert tomorrow is not None
    with ledger.worker.begin() as db:
        assert fire_one(db, tested, tomorrow, skip=False) is None
        assert fire_one(db, tested, tomorrow, skip=True) is None
    assert noted(ledger) == []
    assert ledger.sql("SELECT count(*) FROM ledger.jobs") == 0


def test_a_scheduler_whose_clock_is_behind_fires_nothing_twice(ledger: Ledger) -> None:
    tested = hourly(Missed.ALL)
    ahead = clock.now() + timedelta(hours=2)
    ledger.sql(
        "INSERT INTO ledger.ticks (schedule, tick, due_at, outcome) VALUES ('test', 'ahead', :ahead, 'fired')",
        ahead=ahead,
    )
    assert fire_due(ledger.worker, tested) == []
    assert len(noted(ledger)) == 1


def test_a_daily_tick_is_its_date_so_a_clock_set_back_repeats_no_day(ledger: Ledger) -> None:
    tested = schedule("0 0 * * *", Missed.ALL, daily=True)
    due_at = previous(tested, clock.now())
    with ledger.worker.begin() as db:
        first = fire_one(db, tested, due_at, skip=False)
        assert first is not None
        assert fire_one(db, tested, due_at + timedelta(seconds=1), skip=False) is None
    assert [tick.tick for tick in noted(ledger)] == [due_at.date().isoformat()]


def test_a_tick_whose_job_is_refused_is_not_noted(ledger: Ledger) -> None:
    ledger.sql("DELETE FROM ledger.job_kinds WHERE kind = 'walls.dry'")
    tested = hourly(Missed.ALL)
    ran_until(ledger, tested, clock.now() - timedelta(hours=1))
    with pytest.raises(DBAPIError, match="unknown kind"):
        fire_due(ledger.worker, tested)
    assert outcomes(ledger) == ["skipped"]


def test_a_tick_joins_the_open_job_that_does_the_same(ledger: Ledger) -> None:
    wall = uuid4()
    tested = hourly(Missed.ALL, payload=lambda _: Count(wall_id=wall))
    ran_until(ledger, tested, clock.now() - timedelta(hours=2))
    first, second = fire_due(ledger.worker, tested)
    assert first == second
    assert outcomes(ledger) == ["skipped", "fired", "fired"]


@pytest.mark.parametrize("entry", TIMETABLE, ids=lambda entry: entry.name)
def test_the_database_takes_the_job_of_every_schedule(ledger: Ledger, entry: Schedule) -> None:
    with ledger.admin.begin() as db:
        publish(db, load())
    due_at = previous(entry, clock.now())
    with ledger.worker.begin() as db:
        job_id = fire_one(db, entry, due_at, skip=False)
    assert job_id is not None
    assert ledger.job(job_id).kind == entry.payload(due_at).kind
