"""What the pages of on-call read beside lists: pace, durations, what runs, the oldest of a queue, a chain as a tree."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from ledger import clock
from ledger.count import count_pace
from ledger.errors import TryAgain
from ledger.queries import (
    JobFilter,
    Span,
    count_jobs,
    looking,
    read_durations,
    read_pace,
    read_queues,
    read_running,
    read_story,
    read_ticks,
)
from ledger.queries.durations import percentile
from ledger.queries.pace import MOST_COUNTED
from tests.ledger.kinds import Dry, Knock, Paint

ENDED = (
    "INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, max_attempts,"
    " give_up_at, started_at, finished_at) SELECT :kind, 'walls', 2, gen_random_uuid(), 1, '{}', :state, 1, :at,"
    " :at, :at + n * interval '5 ms' FROM generate_series(1, :n) n"
)


@pytest.fixture
def eyes(ledger, database):
    engine = create_engine(database.dashboard_url)
    yield engine
    engine.dispose()


def ended(ledger, at, n=1, state="succeeded", kind="walls.dry"):
    ledger.sql(ENDED, kind=kind, state=state, at=at, n=n)


def count(ledger):
    ledger.sql("INSERT INTO ledger.pace_until (id, until) VALUES (1, now() - interval '2 days') ON CONFLICT DO NOTHING")
    while True:
        with ledger.worker.begin() as db:
            if not count_pace(db):
                return


def pace(eyes, now, span=Span.HOUR, kind=None):
    with looking(eyes) as db:
        return read_pace(db, now, span, kind)


def test_the_latest_minutes_are_told_though_nobody_has_counted_them(ledger, eyes):
    now = datetime(2026, 5, 4, 12, 30, 40, tzinfo=UTC)
    minute = now.replace(second=0)
    ended(ledger, minute - timedelta(minutes=9), n=3)
    ended(ledger, minute, n=2, state="dead")
    ended(ledger, minute - timedelta(minutes=59), n=1)
    slots = pace(eyes, now)
    assert len(slots) == 60
    assert [slot.start for slot in slots] == [minute - timedelta(minutes=59 - n) for n in range(60)]
    assert (slots[-10].succeeded, slots[-1].dead, slots[-1].about) == (3, 2, False)
    assert slots[0].succeeded == 0, "what is that old is for the dispatcher to count"


def test_a_crowded_minute_is_inferred_from_its_first_seconds(ledger, eyes):
    now = datetime(2026, 5, 4, 12, 30, 40, tzinfo=UTC)
    ended(ledger, now.replace(second=0) - timedelta(minutes=1), n=10_000)
    slot = pace(eyes, now)[-2]
    assert slot.about
    assert slot.succeeded == pytest.approx(12_000, rel=0.01)
    assert slot.succeeded > MOST_COUNTED


def test_what_was_counted_and_what_was_not_yet_meet_without_a_gap_or_a_double(ledger, eyes):
    now = clock.now()
    for minutes in (1410, 600, 59, 30, 4, 2, 1, 0):
        ended(ledger, now - timedelta(minutes=minutes, seconds=2), n=5)
    before = sum(slot.succeeded for slot in pace(eyes, now, Span.DAY))
    count(ledger)
    for span, expected in ((Span.DAY, 40), (Span.QUARTER, 30), (Span.HOUR, 25)):
        slots = pace(eyes, now, span)
        assert len(slots) == span.bars
        assert sum(slot.succeeded for slot in slots) == pytest.approx(expected, abs=5), span
    assert before < 40
    assert sum(slot.succeeded for slot in pace(eyes, now, Span.DAY)) == 40


def test_failed_attempts_are_told_apart_from_deaths(ledger, eyes):
    def call(_):
        raise TryAgain("vendor_down")

    ledger.script.call = call
    ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    slot = pace(eyes, clock.now())[-1]
    assert (slot.succeeded, slot.dead, slot.failed) == (0, 0, 1)


def test_a_kind_has_a_pace_of_its_own(ledger, eyes):
    now = clock.now()
    ended(ledger, now - timedelta(minutes=5), n=3, kind="walls.dry")
    ended(ledger, now - timedelta(minutes=5), n=4, kind="walls.paint")
    count(ledger)
    assert sum(slot.succeeded for slot in pace(eyes, now, Span.DAY, "walls.paint")) == 4


def test_durations_are_told_by_kind_within_a_tenth(ledger, eyes):
    at = clock.now() - timedelta(minutes=5)
    for milliseconds, many in ((100, 90), (2000, 8), (60_000, 2)):
        ledger.sql(
            "INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, max_attempts,"
            " give_up_at, started_at, finished_at) SELECT 'walls.dry', 'walls', 2, gen_random_uuid(), 1, '{}',"
            " 'succeeded', 1, :at, :at - :ms * interval '1 ms', :at FROM generate_series(1, :n)",
            at=at, ms=milliseconds, n=many,
        )  # fmt: skip
    ended(ledger, at, state="dead", kind="walls.dry")
    count(ledger)
    with looking(eyes) as db:
        took = read_durations(db, clock.now())["walls.dry"]
    assert (took.succeeded, took.dead) == (100, 1)
    assert took.p50 == pytest.approx(0.1, rel=0.1)
    assert took.p95 == pytest.approx(2, rel=0.1)
    assert took.p99 == pytest.approx(60, rel=0.1)


def test_of_nothing_there_is_no_percentile():
    assert percentile([], 0.5) is None


def test_what_runs_is_told_the_longest_first(ledger, eyes):
    ids = [ledger.enqueue(Dry(wall_id=uuid4())) for _ in range(3)]
    ledger.claimed()
    for n, job_id in enumerate(ids):
        ledger.sql("UPDATE ledger.jobs SET started_at = now() - :n * interval '1 min' WHERE id = :id", n=n, id=job_id)
    with looking(eyes) as db:
        running = read_running(db, shown=2)
    assert [job.id for job in running] == ids[:0:-1]
    assert running[0].worker_id == ledger.me


def test_the_oldest_of_a_queue_is_found_among_all_businesses_and_priorities(ledger, eyes):
    for n in range(30):
        ledger.sql(
            "INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, max_attempts,"
            " run_at, give_up_at) SELECT 'walls.dry', 'walls', :p, CAST(lpad(CAST(:b AS text), 32, '0') AS uuid), 1,"
            " '{}',"
            " 'available', 1, now() - m * interval '1 s', now() FROM generate_series(1, 5) m",
            p=n % 4, b=n % 7,
        )  # fmt: skip
    late = ledger.sql("SELECT id FROM ledger.jobs WHERE priority = 2 ORDER BY business_id DESC, id LIMIT 1")
    ledger.sql("UPDATE ledger.jobs SET run_at = now() - interval '1 hour' WHERE id = :id", id=late)
    with looking(eyes) as db:
        walls = next(queue for queue in read_queues(db) if queue.queue == "walls")
    assert (walls.oldest, walls.available) == (late, 150)
    assert clock.now() - walls.waiting_since > timedelta(minutes=59)


def test_what_a_filter_leaves_is_counted_up_to_a_thousand(ledger, eyes):
    ledger.enqueue(Knock(wall_id=uuid4()))
    at = clock.now()
    ended(ledger, at, n=1200)
    with looking(eyes) as db:
        assert count_jobs(db, JobFilter(kind="walls.knock")) == (1, False)
        assert count_jobs(db, JobFilter(kind="walls.dry")) == (1000, True)
        assert count_jobs(db, JobFilter(kind="walls.dry"), most=5000) == (1200, False)


def test_a_chain_is_a_tree_of_who_enqueued_whom(ledger, eyes):
    ledger.sql(
        "INSERT INTO ledger.jobs (id, kind, queue, priority, business_id, root_id, parent_id, payload, state,"
        " max_attempts, give_up_at) OVERRIDING SYSTEM VALUE"
        " SELECT id, 'walls.dry', 'walls', 2, :b, 1, parent, '{}', 'available', 1, now()"
        " FROM (VALUES (1, NULL), (2, 1), (3, 1), (4, 2), (5, 3), (6, 2), (7, 99), (8, NULL)) j (id, parent)",
        b=uuid4(),
    )
    with looking(eyes) as db:
        story = read_story(db, 5)
    assert [(link.job.id, link.depth) for link in story.chain] == [
        (1, 0), (2, 1), (4, 2), (6, 2), (3, 1), (5, 2), (7, 1), (8, 1),
    ]  # fmt: skip
    assert not story.more


def test_a_chain_whose_first_job_is_forgotten_is_told_all_the_same(ledger, eyes):
    ledger.sql(
        "INSERT INTO ledger.jobs (id, kind, queue, priority, business_id, root_id, parent_id, payload, state,"
        " max_attempts, give_up_at) OVERRIDING SYSTEM VALUE"
        " SELECT id, 'walls.dry', 'walls', 2, :b, 1, parent, '{}', 'available', 1, now()"
        " FROM (VALUES (2, 1), (3, 2)) j (id, parent)",
        b=uuid4(),
    )
    with looking(eyes) as db:
        story = read_story(db, 3)
    assert [(link.job.id, link.depth) for link in story.chain] == [(2, 0), (3, 1)]


def test_a_tick_that_was_caught_up_is_late(ledger, eyes):
    due = clock.now() - timedelta(hours=1)
    with ledger.admin.begin() as db:
        for tick, noted in (("a", due + timedelta(seconds=40)), ("b", due + timedelta(minutes=20))):
            db.execute(
                text(
                    "INSERT INTO ledger.ticks (schedule, tick, due_at, noted_at, outcome)"
                    " VALUES ('w', :t, :d, :n, 'fired')"
                ),
                {"t": tick, "d": due, "n": noted},
            )  # fmt: skip
    with looking(eyes) as db:
        assert {tick.tick: tick.late for tick in read_ticks(db, ["w"], 5)} == {"a": False, "b": True}
