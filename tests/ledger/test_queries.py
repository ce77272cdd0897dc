"""What on-call sees of a ledger, as the role that may only look, and that a large one is read by its indexes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError

from ledger import clock
from ledger.count import count_pace
from ledger.errors import GiveUp, Misconfigured, TryAgain
from ledger.operate import discard, retry
from ledger.queries import (
    BadCursor,
    JobFilter,
    Span,
    count_jobs,
    count_states,
    counted_until,
    group_failures,
    list_jobs,
    looking,
    read_batches_of,
    read_came_of,
    read_durations,
    read_kinds,
    read_limits,
    read_overdue,
    read_pace,
    read_queues,
    read_running,
    read_story,
    read_ticks,
    read_workers,
)
from ledger.queries.counts import MOST_COUNTED
from ledger.tick import fire
from ledger.watch import heartbeat
from models.ledger import FINISHED, OPEN, Outcome, State, TickOutcome
from tests.ledger.kinds import Dry, Knock, Paint

# Every state in its share, in blocks and not mixed, as a night with an outage leaves them; a thousand failures.
CROWD = """
INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, max_attempts, run_at, give_up_at,
                         enqueued_at, finished_at)
SELECT 'walls.dry', 'walls', n % 4, CAST(lpad((n % 50)::text, 32, '0') AS uuid), n, '{}', s.state, 8,
       now() - (:rows - n) * interval '1 s', now() + interval '1 day', now() - (:rows - n) * interval '1 s',
       CASE WHEN s.state IN ('succeeded', 'dead', 'cancelled', 'discarded')
            THEN now() - (:rows - n) * interval '1 s' END
FROM generate_series(1, :rows) n, LATERAL (SELECT CASE
  WHEN n % 1000 < 6 THEN (ARRAY['dead', 'cancelled', 'discarded', 'running', 'parked', 'scheduled'])[n % 1000 + 1]
  WHEN n < :rows / 50 THEN 'available'
  WHEN n < :rows / 40 THEN 'retryable'
  ELSE 'succeeded' END AS state) s
"""
CROWD_FAILS = """
INSERT INTO ledger.attempts (job_id, business_id, kind, attempt, outcome, error_code, fingerprint, ended_at)
SELECT id, business_id, kind, 1, 'bug', 'code_' || id % 7, 'print_' || id % 7, now() - interval '1 min'
FROM ledger.jobs WHERE state IN ('dead', 'retryable', 'parked')
"""


@pytest.fixture
def eyes(ledger, database):
    engine = create_engine(database.dashboard_url)
    yield engine
    engine.dispose()


@pytest.fixture
def crowd(ledger):
    ledger.sql(CROWD, rows=50_000)
    ledger.sql(CROWD_FAILS)


def paint(ledger, *, failing=None, business=None) -> int:
    """Enqueue a coat of paint and run it, with this error if one is given."""
    job_id = ledger.enqueue(Paint(wall_id=uuid4()), business)

    def call(_):
        raise failing

    if failing is not None:
        ledger.script.call = call
    ledger.run()
    return job_id


def pages(db, wanted=None, size=50, **given) -> Iterator[list[int]]:
    """Walk a list to its end."""
    after = None
    for _ in range(1000):
        page = list_jobs(db, wanted, after=after, size=size, **given)
        yield [job.id for job in page.jobs]
        after = page.next
        if after is None:
            return
    raise AssertionError("the list has no end")


def test_looking_cannot_write(ledger, eyes):
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    with looking(eyes) as db, pytest.raises(DBAPIError, match="read-only"):
        discard(db, job_id)
    assert ledger.job(job_id).state == "available"


def test_a_job_is_listed_with_its_latest_error(ledger, eyes):
    job_id = paint(ledger, failing=TryAgain("vendor_down", "Try later."))
    with looking(eyes) as db:
        (job,) = list_jobs(db).jobs
    assert (job.id, job.state, job.attempt, job.business_id) == (job_id, State.RETRYABLE, 1, ledger.business)
    assert (job.last_error.error_class, job.last_error.code) == ("TryAgain", "vendor_down")


def test_a_state_lists_its_jobs_and_no_other(ledger, eyes, crowd):
    with ledger.admin.begin() as db:
        rows = db.execute(text("SELECT state, array_agg(id) FROM ledger.jobs GROUP BY state"))
        expected = {State(state): set(ids) for state, ids in rows}
    with looking(eyes) as db:
        for state in set(State) - {State.SUCCEEDED}:
            found = [job_id for page in pages(db, JobFilter(state=state), size=200) for job_id in page]
            assert len(found) == len(set(found))
            assert set(found) == expected.get(state, set())


def test_each_state_is_listed_in_the_order_that_matters(ledger, eyes, crowd):
    with looking(eyes) as db:
        listed = {state: list_jobs(db, JobFilter(state=state)) for state in State}
        everything = list_jobs(db)
    assert [job.id for job in everything.jobs] == list(range(50_000, 49_950, -1))
    dead = [job.finished_at for job in listed[State.DEAD].jobs]
    assert dead == sorted(dead, reverse=True)
    later = [job.run_at for job in listed[State.RETRYABLE].jobs]
    assert later == sorted(later)
    due = [(job.priority, job.business_id, job.id) for job in listed[State.AVAILABLE].jobs]
    assert due == sorted(due)
    running = [job.id for job in listed[State.RUNNING].jobs]
    assert running == sorted(running, reverse=True)


def test_pages_do_not_shift_when_jobs_are_added(ledger, eyes):
    old = [ledger.enqueue(Dry(wall_id=uuid4())) for _ in range(7)]
    with looking(eyes) as db:
        first = list_jobs(db, size=3)
    for _ in range(4):
        ledger.enqueue(Dry(wall_id=uuid4()))
    with looking(eyes) as db:
        second = list_jobs(db, after=first.next, size=3)
        third = list_jobs(db, after=second.next, size=3)
        back = list_jobs(db, before=second.previous, size=3)
    assert [job.id for job in (*first.jobs, *second.jobs, *third.jobs)] == old[::-1]
    assert third.next is None
    assert [job.id for job in back.jobs] == [job.id for job in first.jobs]


def test_the_way_back_is_the_way_there_reversed(ledger, eyes, crowd):
    for state in (None, State.SUCCEEDED, State.RETRYABLE, State.AVAILABLE, State.PARKED):
        wanted = JobFilter(state=state)
        with looking(eyes) as db:
            first = list_jobs(db, wanted, size=10)
            second = list_jobs(db, wanted, after=first.next, size=10)
            third = list_jobs(db, wanted, after=second.next, size=10)
            assert list_jobs(db, wanted, before=third.previous, size=10).jobs == second.jobs
            again = list_jobs(db, wanted, before=second.previous, size=10)
        assert again.jobs == first.jobs
        assert again.previous is None


def test_filters_find_what_they_name(ledger, eyes):
    wall = uuid4()
    mine = ledger.enqueue(Paint(wall_id=wall))
    theirs = ledger.enqueue(Knock(wall_id=uuid4()), ledger.other)

    def found(**filters):
        with looking(eyes) as db:
            return [job.id for job in list_jobs(db, JobFilter(**filters)).jobs]

    assert found() == [theirs, mine]
    assert found(kind="walls.paint") == [mine]
    assert found(queue="knocks") == [theirs]
    assert found(queue="knocks", state=State.AVAILABLE) == [theirs]
    assert found(business_id=ledger.other) == [theirs]
    assert found(about=wall) == [mine]
    assert found(about=ledger.other) == [theirs]
    assert found(id=mine) == [mine]
    assert found(id=mine, kind="walls.knock") == []
    assert found(root_id=theirs) == [theirs]


def test_an_error_lists_the_jobs_it_hit_whatever_became_of_them(ledger, eyes):
    dead = paint(ledger, failing=GiveUp("no_such_wall"))
    waiting = paint(ledger, failing=TryAgain("vendor_down"))

    def found(**filters):
        with looking(eyes) as db:
            return [job.id for job in list_jobs(db, JobFilter(**filters)).jobs]

    with looking(eyes) as db:
        prints = {group.code: group.fingerprint for group in group_failures(db, clock.now() - timedelta(hours=1))}
    assert found(code="vendor_down") == [waiting]
    assert found(fingerprint=prints["no_such_wall"]) == [dead]
    assert found(code="no_such_wall", state=State.RETRYABLE) == []
    assert found(code="heard_of_by_nobody") == []


def test_a_span_of_time_is_found_without_reading_what_came_after_it(ledger, eyes, crowd):
    now = ledger.sql("SELECT max(enqueued_at) FROM ledger.jobs")
    since, until = now - timedelta(hours=10), now - timedelta(hours=9, minutes=59)
    with looking(eyes) as db:
        page = list_jobs(db, JobFilter(since=since, until=until), size=100)
        dead = list_jobs(db, JobFilter(state=State.DEAD, since=now - timedelta(seconds=1500)))
    assert len(page.jobs) == 60
    assert all(since <= job.enqueued_at < until for job in page.jobs)
    assert not page.unfinished
    assert 1 <= len(dead.jobs) <= 2


def test_a_rare_filter_stops_and_goes_on_where_it_stopped(ledger, eyes, crowd):
    rare = uuid4()
    ledger.sql("UPDATE ledger.jobs SET business_id = :rare WHERE id IN (100, 45000)", rare=rare)
    with looking(eyes) as db:
        first = list_jobs(db, JobFilter(business_id=rare))
        walked = list(pages(db, JobFilter(business_id=rare)))
    assert [job.id for job in first.jobs] == [45_000]
    assert first.unfinished
    assert walked == [[45_000], [], [100]]


def test_a_cursor_that_was_made_up_is_refused(ledger, eyes):
    with looking(eyes) as db:
        for cursor in ("", "x", "1~2", "-1", str(2**63), "2026-01-01T00:00:00~1", "1' OR 1=1"):
            for state in (None, State.DEAD):
                with pytest.raises(BadCursor):
                    list_jobs(db, JobFilter(state=state), after=cursor)


def test_counts_tell_each_state(ledger, eyes, crowd):
    with ledger.admin.begin() as db:
        rows = db.execute(text("SELECT state, count(*) FROM ledger.jobs GROUP BY state"))
        expected = {State(state): number for state, number in rows}
    with looking(eyes) as db:
        counts = count_states(db, clock.now() - timedelta(days=2))
        recent = count_states(db, clock.now() - timedelta(hours=1))
    assert set(counts) == set(State)
    assert expected.pop(State.SUCCEEDED) > counts[State.SUCCEEDED].count == MOST_COUNTED
    assert [state for state, counted in counts.items() if counted.at_least] == [State.SUCCEEDED]
    told = {state: counted.count for state, counted in counts.items() if counted.count}
    assert told == {**expected, State.SUCCEEDED: MOST_COUNTED}
    assert 3_000 < recent[State.SUCCEEDED].count < 3_700


def test_what_has_succeeded_is_told_to_the_last_job_once_it_was_counted(ledger, eyes):
    now = clock.now()
    done = (
        "INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, max_attempts,"
        " give_up_at, finished_at) SELECT 'walls.dry', 'walls', 2, gen_random_uuid(), 1, '{}', 'succeeded', 1, :at, :at"
        " FROM generate_series(1, :n)"
    )
    ledger.sql(done, at=now - timedelta(hours=2), n=MOST_COUNTED + 1000)
    ledger.sql(done, at=now - timedelta(seconds=10), n=7)
    ledger.sql("INSERT INTO ledger.pace_until (id, until) VALUES (1, now() - interval '1 day')")
    with ledger.worker.begin() as db:
        while count_pace(db):
            pass
    with looking(eyes) as db:
        told = count_states(db, now - timedelta(hours=24))[State.SUCCEEDED]
    assert (told.count, told.at_least) == (MOST_COUNTED + 1007, False)


def test_failures_are_grouped_by_what_failed_and_where(ledger, eyes):
    paint(ledger, failing=TryAgain("vendor_down"))
    latest = paint(ledger, failing=TryAgain("vendor_down"), business=ledger.other)
    paint(ledger, failing=GiveUp("no_such_wall"))
    with looking(eyes) as db:
        groups = group_failures(db, clock.now() - timedelta(hours=1))
        assert group_failures(db, clock.now() + timedelta(hours=1)) == ()
    assert [(group.code, group.count, group.businesses) for group in groups] == [
        ("vendor_down", 2, 2),
        ("no_such_wall", 1, 1),
    ]
    assert groups[0].kind == "walls.paint"
    assert groups[0].outcome is Outcome.TRY_AGAIN
    assert groups[0].latest_job == latest
    assert groups[0].first_seen < groups[0].last_seen


def test_queues_tell_who_waits_and_since_when(ledger, eyes):
    first = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.claimed()
    ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.dispatched()
    ledger.enqueue(Paint(wall_id=uuid4()))
    with looking(eyes) as db:
        queues = {queue.queue: queue for queue in read_queues(db)}
    walls = queues["walls"]
    assert (walls.available, walls.dispatched, walls.running, walls.waiting) == (1, 1, 2, 2)
    assert walls.oldest == first + 2
    assert queues["knocks"].waiting_since is None


def test_overdue_jobs_are_told_apart_from_those_whose_time_will_come(ledger, eyes):
    paint(ledger, failing=TryAgain("vendor_down"))
    with looking(eyes) as db:
        assert read_overdue(db, clock.now()) is None
    ledger.sql("UPDATE ledger.jobs SET run_at = now() - interval '5 min'")
    with looking(eyes) as db:
        late = read_overdue(db, clock.now() - timedelta(seconds=30))
    assert late is not None
    assert (late.count, late.at_least) == (1, False)


def test_workers_tell_what_they_have_in_hand(ledger, eyes):
    with ledger.worker.begin() as db:
        heartbeat(db, ledger.me, 4, ["walls.paint"])
    ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.claimed()
    with looking(eyes) as db:
        (worker,) = read_workers(db)
    assert (worker.id, worker.threads, worker.kinds, worker.running) == (ledger.me, 4, 1, 1)


def test_a_story_is_the_job_its_attempts_and_its_chain(ledger, eyes):
    job_id = paint(ledger, failing=Misconfigured("no_key", "No key.", setting="PAINT_KEY"))
    with ledger.admin.begin() as db:
        retry(db, job_id)
    ledger.script.call = lambda _: "painted"
    ledger.run()
    with looking(eyes) as db:
        story = read_story(db, job_id)
        assert read_story(db, 10**6) is None
    assert story is not None
    assert story.job.state is State.SUCCEEDED
    (attempt,) = story.attempts
    assert (attempt.outcome, attempt.error_code) == (Outcome.MISCONFIGURED, "no_key")
    assert "test_queries.py" in (attempt.place or "")
    assert [link.job.kind for link in story.chain] == ["walls.paint", "walls.dry"]


def test_kinds_and_ticks_are_told(ledger, eyes):
    due = clock.now() - timedelta(minutes=1)
    with ledger.worker.begin() as db:
        fired = fire(db, "walls", "2026-01-01", due - timedelta(days=1), Dry(wall_id=uuid4()))
        fire(db, "walls", "2026-01-02", due, Dry(wall_id=uuid4()), skip=True)
    with looking(eyes) as db:
        kinds = {kind.kind: kind for kind in read_kinds(db)}
        ticks = read_ticks(db, ["walls", "never"], 5)
        assert len(read_ticks(db, ["walls"], 1)) == 1
    assert kinds["walls.paint"].fields["wall_id"]["type"] == "uuid"
    assert [(tick.outcome, tick.job_id, tick.state) for tick in ticks] == [
        (TickOutcome.SKIPPED, None, None),
        (TickOutcome.FIRED, fired, State.AVAILABLE),
    ]


@contextmanager
def explained(engine) -> Iterator[list[str]]:
    """Explain every SELECT that is run within, under the same settings; yields the plans' lines."""
    plans: list[str] = []

    def explain(connection, cursor, statement, parameters, context, executemany):
        if "set_config" not in statement and not statement.startswith("EXPLAIN"):
            with connection.connection.cursor() as other:
                other.execute(f"EXPLAIN {statement}", parameters)
                plans.append(statement + "\n" + "\n".join(line for (line,) in other.fetchall()))

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(engine, "before_cursor_execute", explain)


FILTERS = [
    JobFilter(),
    *(JobFilter(state=state) for state in (*OPEN, *FINISHED)),
    JobFilter(kind="walls.dry"),
    JobFilter(business_id=UUID(int=3)),
    JobFilter(state=State.DEAD, kind="walls.dry"),
    JobFilter(state=State.AVAILABLE, business_id=UUID(int=3)),
    JobFilter(about=UUID(int=3)),
    JobFilter(code="code_3"),
    JobFilter(fingerprint="print_3", state=State.DEAD),
    JobFilter(root_id=7),
    JobFilter(id=7),
    JobFilter(since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2099, 1, 1, tzinfo=UTC)),
]


@pytest.mark.parametrize("statistics", ["of an empty table", "of now"])
def test_nothing_on_call_looks_at_reads_the_whole_table(ledger, eyes, statistics):
    ledger.sql("ANALYZE ledger.jobs")
    ledger.sql(CROWD, rows=50_000)
    ledger.sql(CROWD_FAILS)
    if statistics == "of now":
        ledger.sql("ANALYZE ledger.jobs")
        ledger.sql("ANALYZE ledger.attempts")
    now = clock.now()
    with explained(eyes) as plans, looking(eyes) as db:
        for wanted in FILTERS:
            page = list_jobs(db, wanted)
            count_jobs(db, wanted)
            if page.next:
                list_jobs(db, wanted, after=page.next)
                list_jobs(db, wanted, before=page.next)
        count_states(db, now - timedelta(days=1))
        read_queues(db)
        read_overdue(db, now)
        read_workers(db)
        read_running(db)
        read_limits(db)
        for span in Span:
            read_pace(db, now, span)
        read_pace(db, now, Span.DAY, "walls.dry")
        counted_until(db)
        read_durations(db, now)
        group_failures(db, now - timedelta(hours=1))
        read_story(db, 7)
        read_batches_of(db, 7)
        read_came_of(db, [7])
        read_ticks(db, ["retention"], 5)
    assert len(plans) > 100
    for plan in plans:
        for table in ("jobs", "attempts", "pace", "durations", "ticks"):
            assert f"Seq Scan on {table}" not in plan, plan
