"""Failures by what failed alike: stamped on the job that has not got over them, read by an index of failures alone."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from ledger import clock
from ledger.claim import claim
from ledger.errors import GiveUp, Misconfigured, TryAgain
from ledger.operate import retry, run_now
from ledger.queries import JobFilter, list_jobs, looking
from ledger.queries.failed import group_failed, read_failed, read_hours
from ledger.queries.targets import find_targets
from ledger.watch import heartbeat, rescue
from models.ledger import Outcome, State
from models.operations import Action
from tests.ledger.kinds import Dry, Knock, Paint
from tests.ledger.operating import PRINT, fail
from tests.ledger.test_queries import explained

# Finished jobs, and among the open ones none that failed: what groups are read from must not grow with either.
FINISHED = """
INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, max_attempts, give_up_at,
                         finished_at)
SELECT 'walls.dry', 'walls', 2, :business, n, '{}', 'succeeded', 8, now(), now() - n * interval '10 ms'
FROM generate_series(1, :rows) n
"""
FETCHED = text(
    "SELECT coalesce(sum(seq_scan), 0), coalesce(sum(idx_tup_fetch), 0) FROM pg_stat_xact_user_tables "
    "WHERE schemaname = 'ledger' AND relname IN ('jobs', 'attempts')"
)


@pytest.fixture
def eyes(database):
    engine = create_engine(database.dashboard_url)
    yield engine
    engine.dispose()


def paint(ledger, failing=None, business=None) -> int:
    job_id = ledger.enqueue(Paint(wall_id=uuid4()), business)

    def call(_):
        if failing is not None:
            raise failing
        return "painted"

    ledger.script.call = call
    ledger.run()
    return job_id


def groups(eyes, **wanted):
    with looking(eyes) as db:
        return group_failed(db, JobFilter(**wanted))


def test_a_group_tells_how_many_since_when_whose_and_what_was_said(ledger, eyes):
    paint(ledger, TryAgain("vendor_down", "The vendor did not answer."))
    latest = paint(ledger, TryAgain("vendor_down", "The vendor did not answer."), ledger.other)
    paint(ledger, GiveUp("no_such_wall", "There is no such wall."))
    first, second = groups(eyes)
    assert (first.kind, first.jobs, first.businesses, first.states) == ("walls.paint", 2, 2, {State.RETRYABLE: 2})
    assert (first.error_class, first.code, first.message) == ("TryAgain", "vendor_down", "The vendor did not answer.")
    assert first.outcome is Outcome.TRY_AGAIN
    assert "test_failed.py" in first.place
    assert first.first_seen < first.last_seen
    assert first.sample == latest
    assert (second.code, second.states) == ("no_such_wall", {State.DEAD: 1})
    with looking(eyes) as db:
        assert read_failed(db, second.fingerprint) == second
        assert read_failed(db, "nothing_failed_so") is None
        (hour,) = read_hours(db, first.fingerprint, clock.now())
    assert (hour.attempts, hour.jobs, hour.businesses) == (2, 2, 2)


def test_a_job_that_gets_over_its_failure_is_in_no_group(ledger, eyes):
    job_id = paint(ledger, TryAgain("vendor_down"))
    assert len(groups(eyes)) == 1
    with ledger.admin.begin() as db:
        run_now(db, job_id)
    assert groups(eyes) == ()
    ledger.script.call = lambda _: "painted"
    ledger.run()
    assert ledger.job(job_id).state == "succeeded"
    assert groups(eyes) == ()


def test_a_retry_by_hand_takes_a_job_out_of_its_group_and_the_next_failure_puts_it_into_its_own(ledger, eyes):
    job_id = paint(ledger, GiveUp("no_such_wall"))
    with ledger.admin.begin() as db:
        retry(db, job_id)
    assert (ledger.job(job_id).fingerprint, groups(eyes)) == (None, ())

    def call(_):
        raise Misconfigured("no_key", "No key.", setting="PAINT_KEY")

    ledger.script.call = call
    ledger.run()
    assert [(group.code, group.states) for group in groups(eyes)] == [("no_key", {State.PARKED: 1})]


def test_jobs_that_were_lost_with_their_workers_are_grouped_by_kind(ledger, eyes):
    ids = [ledger.enqueue(Knock(wall_id=uuid4())), ledger.enqueue(Dry(wall_id=uuid4()))]
    for queue in ("knocks", "walls"):
        for _ in range(3):
            with ledger.worker.begin() as db:
                heartbeat(db, ledger.me, 1, [])
                claimed = claim(db, ledger.me, ledger.registry.kinds, [], ledger.dispatched(queue))
                for job in claimed:
                    db.execute(text("SELECT ledger.start_v1(:id, :fence)"), {"id": job.id, "fence": job.fence})
            ledger.sql("UPDATE ledger.workers SET heartbeat_at = now() - interval '1 day'")
            with ledger.worker.begin() as db:
                rescue(db, timedelta(milliseconds=1))
    assert [ledger.job(job_id).reason for job_id in ids] == ["poison", "poison"]
    found = {group.kind: group for group in groups(eyes)}
    assert {kind: group.fingerprint for kind, group in found.items()} == {
        "walls.knock": "walls.knock.worker_died",
        "walls.dry": "walls.dry.worker_died",
    }
    assert found["walls.dry"].outcome is Outcome.LOST


def test_groups_are_filtered_by_kind_business_state_and_time(ledger, eyes):
    fail(ledger, 3)
    fail(ledger, 2, business=ledger.other, state="parked")
    fail(ledger, 4, kind="walls.dry", fingerprint="fedcba9876543210")
    now = clock.now()
    assert [group.jobs for group in groups(eyes)] == [5, 4]
    assert [group.jobs for group in groups(eyes, kind="walls.dry")] == [4]
    assert [group.jobs for group in groups(eyes, business_id=ledger.other)] == [2]
    assert [group.states for group in groups(eyes, state=State.PARKED)] == [{State.PARKED: 2}]
    assert [group.jobs for group in groups(eyes, since=now - timedelta(hours=1))] == [5, 4]
    assert groups(eyes, until=now - timedelta(hours=1)) == ()
    assert groups(eyes, since=now + timedelta(hours=1)) == ()


def test_the_jobs_of_a_group_are_listed_page_by_page_the_last_that_failed_first(ledger, eyes):
    ids = set(fail(ledger, 30)) | set(fail(ledger, 5, state="retryable"))
    fail(ledger, 5, fingerprint="fedcba9876543210")
    wanted, seen, after = JobFilter(failing=PRINT), [], None
    with looking(eyes) as db:
        while True:
            page = list_jobs(db, wanted, after=after, size=8)
            seen += page.jobs
            after = page.next
            if after is None:
                break
        assert len(list_jobs(db, JobFilter(failing=PRINT, state=State.RETRYABLE)).jobs) == 5
    assert {job.id for job in seen} == ids
    assert len(seen) == 35
    failed_at = [job.failed_at for job in seen]
    assert failed_at == sorted(failed_at, reverse=True)


@pytest.mark.parametrize("statistics", ["of an empty table", "of now"])
@pytest.mark.parametrize(
    "rows", [100_000, pytest.param(1_000_000, marks=[pytest.mark.chaos, pytest.mark.timeout(600)])]
)
def test_groups_cost_what_failed_and_not_what_there_is(ledger, eyes, rows, statistics):
    ledger.sql("ANALYZE ledger.jobs")
    ledger.sql(FINISHED, rows=rows, business=ledger.business)
    for n in range(10):
        fail(ledger, 100, fingerprint=f"{n:016}", state=("dead", "parked", "retryable")[n % 3], kind="walls.dry")
    if statistics == "of now":
        ledger.sql("ANALYZE ledger.jobs")
        ledger.sql("ANALYZE ledger.attempts")
    asked = (
        lambda db: group_failed(db, JobFilter()),
        lambda db: group_failed(db, JobFilter(kind="walls.dry", business_id=ledger.business, state=State.DEAD)),
        lambda db: read_failed(db, f"{3:016}"),
        lambda db: read_hours(db, f"{3:016}", clock.now()),
        lambda db: list_jobs(db, JobFilter(failing=f"{3:016}")),
        lambda db: find_targets(db, Action.RETRY, JobFilter()),
        lambda db: find_targets(db, Action.DISCARD, JobFilter(failing=f"{3:016}")),
    )
    for ask in asked:
        with explained(eyes) as plans, looking(eyes) as db:
            before = db.execute(FETCHED).one()
            ask(db)
            scans, fetched = (after - was for after, was in zip(db.execute(FETCHED).one(), before, strict=True))
        assert (scans, fetched <= 4_000) == (0, True), (scans, fetched, plans)
        for plan in plans:
            assert "Seq Scan on jobs" not in plan
            assert "Seq Scan on attempts" not in plan


def test_a_job_that_never_fails_is_never_written_to_the_index_of_failures(ledger):
    ids = [paint(ledger) for _ in range(20)]
    assert [ledger.job(job_id).state for job_id in ids] == ["succeeded"] * 20
    held = "SELECT pg_relation_size('ledger.jobs_failed')"
    assert ledger.sql(held) == 8192  # a btree's first page
    paint(ledger, GiveUp("no_such_wall"))
    assert ledger.sql(held) > 8192
