"""Days that must be right in any year, zone and order: until when something is kept, when a business begins to go."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from lifecycle.deadlines import DAY, Deadlines
from lifecycle.deleting import A_SECOND, USUAL, time_for
from lifecycle.ending import is_due, starts_at
from providers.limits import LIMITS

ASK = text("SELECT nexara.keep_until_v1('billing', :country, :zone, :since)")
YEARS = {"DE": 8, "FR": 10, "GB": 6, "AU": 5, "ZZ": 10}  # nobody knows ZZ: the longest
ZONES = ("UTC", "Europe/Berlin", "Asia/Dubai", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago")
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)
moments = st.integers(0, int((LAST - FIRST).total_seconds())).map(lambda after: FIRST + timedelta(seconds=after))
days = st.builds(
    lambda rows, more, last: Deadlines(rows=rows, vendors=min(rows + more, 60), last=max(min(rows + more, 60), last)),
    st.integers(1, 60),
    st.integers(0, 30),
    st.integers(1, 60),
)
copies = st.dictionaries(
    st.sampled_from(["objects", "twilio", "telnyx", "vapi", "meta", "google"]), st.integers(0, 5_000_000)
)


@pytest.fixture(scope="module")
def db(databases):
    with databases() as database:
        engine = create_engine(database.admin_url)
        with engine.connect() as connection:
            yield connection
        engine.dispose()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(since=moments, country=st.sampled_from(sorted(YEARS)), zone=st.sampled_from(ZONES))
def test_a_period_is_counted_from_the_end_of_the_calendar_year_by_the_business_s_clock(db, since, country, zone):
    told = db.scalar(ASK, {"country": country, "zone": zone, "since": since})
    assert told == date(since.astimezone(ZoneInfo(zone)).year + 1 + YEARS[country], 1, 1)


@pytest.mark.parametrize(
    ("since", "zone", "until"),
    [
        ("2026-12-31T23:30Z", "UTC", "2035-01-01"),
        ("2026-12-31T23:30Z", "Europe/Berlin", "2036-01-01"),  # there it is next year
        ("2027-01-01T00:30Z", "America/New_York", "2035-01-01"),  # there it is still this one
        ("2024-02-29T12:00Z", "Europe/Berlin", "2033-01-01"),  # a leap day
        ("2023-12-31T12:00Z", "Europe/Berlin", "2032-01-01"),
        ("2026-12-31T12:00Z", "No/Such_Zone", "2036-01-01"),  # by the earliest clock on earth
        ("2026-12-31T09:00Z", "No/Such_Zone", "2035-01-01"),
    ],
)
def test_a_year_ends_where_the_business_is(db, since, zone, until):
    assert db.scalar(ASK, {"country": "DE", "zone": zone, "since": since}).isoformat() == until


def test_what_has_not_begun_has_no_day(db):
    assert db.scalar(ASK, {"country": "DE", "zone": "UTC", "since": None}) is None


@given(ended_at=moments, held=copies, deadlines=days)
def test_erasing_begins_in_time_for_rows_and_for_copies_and_never_before_access_ended(ended_at, held, deadlines):
    starts = starts_at(ended_at, held, deadlines)
    assert ended_at <= starts <= ended_at + deadlines.rows * DAY
    if starts > ended_at:
        assert starts + time_for(held) <= ended_at + deadlines.vendors * DAY
    if time_for(held) <= deadlines.spare:
        assert starts == ended_at + deadlines.rows * DAY, "no earlier than it must"


@given(ended_at=moments, held=copies, more=copies, deadlines=days)
def test_more_copies_never_begin_later(ended_at, held, more, deadlines):
    both = {store: held.get(store, 0) + more.get(store, 0) for store in {*held, *more}}
    assert starts_at(ended_at, both, deadlines) <= starts_at(ended_at, held, deadlines)


@given(ended_at=moments, deadlines=days, hour=st.integers(0, 23))
def test_a_sweep_a_day_is_enough_whatever_its_hour(ended_at, deadlines, hour):
    """The first sweep that finds it due comes before its day is over, and the one before found it not yet due."""
    first = ended_at.replace(hour=hour, minute=30, second=0, microsecond=0)
    sweeps = [first + n * DAY for n in range(-1, deadlines.rows + 2)]
    found = next(at for at in sweeps if is_due(ended_at, {}, deadlines, at))
    assert found <= ended_at + deadlines.rows * DAY < found + 2 * DAY


def test_what_we_reckon_with_is_no_more_than_a_vendor_s_own_limit():
    for vendor, limit in LIMITS.items():
        if limit.calls is not None and limit.per is not None:
            assert A_SECOND.get(vendor, USUAL) <= limit.calls / limit.per.total_seconds(), vendor
    assert time_for({}) == timedelta()
