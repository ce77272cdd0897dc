"""The timetable: every entry can be fired, and a daily one comes once a day, whatever the clocks do."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from jobs.billing.payloads import ReconcileBilling
from jobs.registry import load
from ledger import clock
from schedules.fire import previous, ticks
from schedules.table import TIMETABLE, Missed, Schedule

ZONES = ("Europe/Berlin", "America/New_York")
CHANGES = {
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
}


def daily(zone: str, hour: int, minute: int) -> Schedule:
    return Schedule(
        name="test",
        cron=f"{minute} {hour} * * *",
        zone=zone,
        payload=lambda due_at: ReconcileBilling(as_of=due_at),
        missed=Missed.ALL,
        daily=True,
        about="A test.",
    )


@pytest.mark.parametrize("schedule", TIMETABLE, ids=lambda schedule: schedule.name)
def test_every_schedule_is_due_again_and_its_payload_is_one_that_a_handler_takes(schedule: Schedule) -> None:
    now = clock.now()
    last, upcoming = previous(schedule, now), schedule.trigger.get_next_fire_time(None, now)
    assert upcoming is not None
    assert last <= now <= upcoming
    payload = schedule.payload(upcoming)
    assert payload.kind in load()
    assert type(payload).read(payload.stored()) == payload
    assert schedule.tick(last) != schedule.tick(upcoming)
    assert schedule.about.endswith(".")


def test_no_two_schedules_have_a_name_in_common() -> None:
    assert len({schedule.name for schedule in TIMETABLE}) == len(TIMETABLE)


def test_what_runs_all_day_goes_by_utc() -> None:
    with pytest.raises(TypeError, match="goes by UTC"):
        replace(daily("Europe/Berlin", 0, 0), cron="*/10 * * * *", daily=False)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("hour", "minute"), [(0, 0), (1, 30), (2, 0), (2, 30), (3, 0), (23, 59)])
def test_each_date_of_a_year_comes_once(zone: str, hour: int, minute: int) -> None:
    schedule = daily(zone, hour, minute)
    end = datetime(2026, 12, 31, 23, 59, 59, tzinfo=ZoneInfo(zone))
    due = list(ticks(schedule, datetime(2025, 12, 31, 23, 59, 59, tzinfo=ZoneInfo(zone)), end))
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    assert [schedule.tick(due_at) for due_at in due] == [day.isoformat() for day in days]
    for day, due_at in zip(days, due, strict=True):
        wall = due_at.astimezone(ZoneInfo(zone))
        if wall.date() not in CHANGES[zone]:
            assert (wall.hour, wall.minute) == (hour, minute), day


@pytest.mark.parametrize("zone", ZONES)
def test_what_the_clock_skips_is_due_when_it_goes_on_and_what_it_repeats_once(zone: str) -> None:
    spring, autumn = CHANGES[zone]
    skipped = daily(zone, 2, 30)
    (due_at,) = on(skipped, spring)
    assert due_at.astimezone(ZoneInfo(zone)).strftime("%H:%M") == "03:30"
    repeated = daily(zone, 2 if zone == "Europe/Berlin" else 1, 30)
    (due_at,) = on(repeated, autumn)
    assert due_at.astimezone(ZoneInfo(zone)).fold == 0


def on(schedule: Schedule, day: date) -> list[datetime]:
    """Return when a schedule is due on a day."""
    begin = datetime.combine(day, time(), ZoneInfo(schedule.zone)).astimezone(UTC)
    found = list(ticks(schedule, begin - timedelta(microseconds=1), begin + timedelta(hours=26)))
    return [due_at for due_at in found if due_at.astimezone(ZoneInfo(schedule.zone)).date() == day]


@given(
    zone=some.sampled_from(("UTC", *ZONES, "Asia/Kathmandu", "Australia/Lord_Howe", "America/Santiago", "Asia/Beirut")),
    at=some.times(),
    start=some.datetimes(datetime(2020, 1, 1), datetime(2034, 1, 1), timezones=some.just(UTC)),  # noqa: DTZ001
)
def test_a_daily_schedule_goes_on_day_by_day_from_any_moment(zone: str, at: time, start: datetime) -> None:
    schedule = daily(zone, at.hour, at.minute)
    due = list(ticks(schedule, start, start + timedelta(days=12)))
    named = [date.fromisoformat(schedule.tick(due_at)) for due_at in due]
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(named))
    assert len(due) in (11, 12, 13)
    assert start < due[0]
    assert schedule.trigger.get_next_fire_time(None, due[0]) == due[0]
    assert previous(schedule, due[5]) == due[5]


def test_a_tick_that_is_not_daily_is_named_by_its_instant() -> None:
    often = next(schedule for schedule in TIMETABLE if not schedule.daily)
    instant = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert (
        often.tick(instant) == often.tick(instant.astimezone(ZoneInfo("Europe/Berlin"))) == "2026-10-25T00:30:00+00:00"
    )
