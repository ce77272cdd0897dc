"""What ended is counted once, a minute later, whoever counts and however often."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from ledger import clock
from ledger.count import count_pace
from ledger.errors import GiveUp, TryAgain
from tests.ledger.kinds import Dry, Paint

PAST = "UPDATE ledger.jobs SET finished_at = finished_at - interval '5 min', started_at = started_at - interval '5 min'"


def count(ledger) -> None:
    """Count all there is."""
    for _ in range(2000):
        with ledger.worker.begin() as db:
            if not count_pace(db):
                return
    raise AssertionError("counting never ends")


def counted(ledger) -> dict[tuple[str, str], int]:
    with ledger.admin.begin() as db:
        rows = db.execute(text("SELECT kind, outcome, sum(count)::integer FROM ledger.pace GROUP BY 1, 2"))
        return {(kind, outcome): number for kind, outcome, number in rows}


@pytest.fixture
def begun(ledger):
    """A ledger whose dispatcher has counted before."""
    count(ledger)
    return ledger


def fail(error):
    def call(_):
        raise error

    return call


def test_each_end_and_each_failed_attempt_is_counted_once(begun):
    ledger = begun
    for error in (None, TryAgain("vendor_down"), GiveUp("no_such_wall")):
        ledger.script.call = fail(error) if error else lambda _: "painted"
        ledger.enqueue(Paint(wall_id=uuid4()))
        ledger.run()
    ledger.run()  # what they enqueued
    ledger.sql(PAST)
    ledger.sql("UPDATE ledger.attempts SET ended_at = ended_at - interval '5 min'")
    expected = {
        ("walls.paint", "succeeded"): 1,
        ("walls.paint", "dead"): 1,
        ("walls.paint", "failed"): 2,
        ("walls.dry", "succeeded"): 2,
    }
    count(ledger)
    assert counted(ledger) == expected
    count(ledger)
    assert counted(ledger) == expected


def test_what_ended_within_the_last_minute_is_counted_by_a_later_look(begun):
    ledger = begun
    ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.run()
    count(ledger)
    assert counted(ledger) == {}
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.count_pace_v1('0 s')"))
    assert counted(ledger) == {("walls.dry", "succeeded"): 1}


def test_a_dispatcher_that_was_away_counts_what_it_missed_minute_by_minute(begun):
    ledger = begun
    ledger.sql("UPDATE ledger.pace_until SET until = now() - interval '3 hours'")
    for minutes in (170, 100, 100, 2):
        ledger.sql(
            "INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, max_attempts,"
            " give_up_at, finished_at) VALUES ('walls.dry', 'walls', 2, :b, 1, '{}', 'succeeded', 1, now(),"
            " date_trunc('minute', now()) - :m * interval '1 min')",
            b=uuid4(),
            m=minutes,
        )
    count(ledger)
    assert counted(ledger) == {("walls.dry", "succeeded"): 4}
    assert ledger.sql("SELECT array_agg(count ORDER BY minute) FROM ledger.pace") == [1, 2, 1]
    assert ledger.sql("SELECT until FROM ledger.pace_until") > clock.now() - timedelta(minutes=2)


def test_many_dispatchers_count_nothing_twice(begun):
    ledger = begun
    for _ in range(20):
        ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.run()
    ledger.sql(PAST)
    with ThreadPoolExecutor(4) as dispatchers:
        list(dispatchers.map(lambda _: count(ledger), range(8)))
    assert counted(ledger) == {("walls.dry", "succeeded"): 20}


def test_how_long_jobs_took_is_kept_within_a_fifth(begun):
    ledger = begun
    for milliseconds in (1, 40, 1000, 60_000):
        ledger.sql(
            "INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, max_attempts,"
            " give_up_at, started_at, finished_at) VALUES ('walls.dry', 'walls', 2, :b, 1, '{}', 'succeeded', 1, now(),"
            " now() - interval '5 min' - :ms * interval '1 ms', now() - interval '5 min')",
            b=uuid4(),
            ms=milliseconds,
        )
    count(ledger)
    buckets = ledger.sql("SELECT array_agg(bucket ORDER BY bucket) FROM ledger.durations")
    for milliseconds, bucket in zip((1, 40, 1000, 60_000), buckets, strict=True):
        assert 2 ** (bucket / 4) <= milliseconds * 1.0001
        assert milliseconds < 2 ** ((bucket + 1) / 4)
