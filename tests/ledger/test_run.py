"""One job, from claim to end, through the real runner, as the real roles."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger.errors import GiveUp, Misconfigured, RateLimited, TryAgain
from ledger.outcome import Cancel, Known
from ledger.watch import heartbeat, rescue
from tests.ledger.kinds import Count, Dry, Knock, Paint


def state(ledger, job_id):
    return ledger.job(job_id).state


def test_success_saves_completes_and_enqueues_the_next_in_one_transaction(ledger):
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    (ended,) = ledger.run()
    assert (ended.state, ended.attempt) == ("succeeded", 1)
    job = ledger.job(job_id)
    assert (job.state, job.fence, job.attempt) == ("succeeded", 3, 1)
    follow_up = ledger.sql("SELECT id FROM ledger.jobs WHERE kind = 'walls.dry'")
    assert ledger.job(follow_up).root_id == job_id
    assert ledger.attempts(job_id) == []
    assert ledger.sql("SELECT count(*) FROM ledger.kept_answers") == 0


def test_a_second_delivery_finds_nothing(ledger):
    ledger.enqueue(Paint(wall_id=uuid4()))
    tokens = ledger.dispatched()
    assert len(ledger.claimed(tokens=tokens)) == 1
    assert ledger.claimed(tokens=tokens) == []


def test_a_stale_worker_pays_but_its_save_rolls_back(ledger):
    wall = uuid4()
    job_id = ledger.enqueue(Paint(wall_id=wall))

    def fence_moves(_):
        ledger.sql("UPDATE ledger.jobs SET fence = fence + 1 WHERE id = :id", id=job_id)
        return "late"

    ledger.script.call = fence_moves
    (ended,) = ledger.run()
    assert ended.state == "moved_on"
    assert state(ledger, job_id) == "running"
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE kind = 'walls.dry'") == 0


def test_a_crash_after_the_answer_does_not_pay_twice(ledger):
    wall = uuid4()
    job_id = ledger.enqueue(Paint(wall_id=wall))
    ledger.script.save = lambda db, wall, answer: (_ for _ in ()).throw(ConnectionResetError())
    (ended,) = ledger.run()
    assert ended.state == "retryable"
    assert ledger.sql("SELECT answer #>> '{}' FROM ledger.kept_answers") == "painted"
    ledger.script.save = lambda db, wall, answer: None
    ledger.sql("UPDATE ledger.jobs SET run_at = now() WHERE id = :id", id=job_id)
    ledger.sql("SELECT ledger.promote_v1()")
    (ended,) = ledger.run()
    assert ended.state == "succeeded"
    assert ledger.script.calls == [wall]
    assert ledger.sql("SELECT count(*) FROM ledger.kept_answers") == 0


@pytest.mark.parametrize(
    ("error", "became", "reason", "attempt", "outcome"),
    [
        (TryAgain("down"), "retryable", "down", 1, "try_again"),
        (RateLimited("busy", retry_after=60), "retryable", "busy", 0, "rate_limited"),
        (GiveUp("unreadable"), "dead", "unreadable", 1, "gave_up"),
        (Misconfigured("no_key", setting="PAINT_KEY"), "parked", "no_key", 0, "misconfigured"),
        (ValueError("Jane Doe +447700900123"), "retryable", "bug", 1, "bug"),
    ],
)
def test_what_a_failure_means_is_its_class(ledger, error, became, reason, attempt, outcome):
    def fails(_):
        raise error

    ledger.script.call = fails
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    job = ledger.job(job_id)
    assert (job.state, job.reason, job.attempt) == (became, reason, attempt)
    (tried,) = ledger.attempts(job_id)
    assert (tried.outcome, tried.attempt) == (outcome, 1)
    assert "Jane" not in f"{tried.message}{tried.traceback}"
    assert "447700900123" not in f"{tried.message}{tried.traceback}"
    assert tried.place.startswith("tests/ledger/")


def test_a_pause_waits_as_the_vendor_said(ledger):
    ledger.script.call = lambda _: (_ for _ in ()).throw(RateLimited("busy", retry_after=60))
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    wait = ledger.sql("SELECT extract(epoch FROM run_at - now()) FROM ledger.jobs WHERE id = :id", id=job_id)
    assert 58 < wait < 73


def test_a_pause_is_not_believed_for_ever(ledger):
    ledger.script.call = lambda _: (_ for _ in ()).throw(RateLimited("busy", retry_after=60))
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.sql("UPDATE ledger.jobs SET give_up_at = now() + interval '30 s' WHERE id = :id", id=job_id)
    ledger.run()
    assert (ledger.job(job_id).state, ledger.job(job_id).reason) == ("dead", "limited_too_long")


def test_attempts_run_out_and_what_must_happen_all_the_same_happens_once(ledger):
    wall = uuid4()
    ledger.script.call = lambda _: (_ for _ in ()).throw(TryAgain("down"))
    job_id = ledger.enqueue(Paint(wall_id=wall))
    for _ in range(3):
        ledger.run()
        ledger.sql("UPDATE ledger.jobs SET run_at = now() WHERE state = 'retryable'")
        ledger.sql("SELECT ledger.promote_v1()")
    assert (ledger.job(job_id).state, ledger.job(job_id).reason) == ("dead", "attempts_exhausted")
    assert len(ledger.attempts(job_id)) == 3
    assert ledger.script.otherwise == [wall]
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE kind = 'walls.dry'") == 1


def test_a_handler_may_cancel_or_know_the_answer(ledger):
    ledger.script.load = lambda db, wall: Cancel("no_such_wall")
    cancelled = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    assert (ledger.job(cancelled).state, ledger.job(cancelled).reason) == ("cancelled", "no_such_wall")
    ledger.script.load = lambda db, wall: Known("painted before")
    known = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    assert state(ledger, known) == "succeeded"
    assert ledger.script.calls == []


def test_load_cannot_write(ledger):
    ledger.script.load = lambda db, wall: db.execute(text("DELETE FROM live.people"))
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    (ended,) = ledger.run()
    assert ended.failure.code == "sql_25006"
    assert state(ledger, job_id) == "retryable"


def test_a_job_sees_its_own_business_and_no_trick_shows_another(ledger):
    seen = {}

    def look(db, wall, answer):
        mine = db.execute(text("SELECT id FROM live.businesses")).scalars().all()
        db.execute(text("SELECT set_config('nexara.business', :other, true)"), {"other": str(ledger.other)})
        also = db.execute(text("SELECT id FROM live.businesses")).scalars().all()
        others_job = ledger.enqueue(Dry(wall_id=wall), ledger.other)
        db.execute(text("SELECT set_config('nexara.job', :job, true)"), {"job": str(others_job)})
        none = db.execute(text("SELECT id FROM live.businesses")).scalars().all()
        db.execute(text("SELECT set_config('nexara.job', :job, true)"), {"job": str(seen["job"])})
        seen.update(mine=mine, also=also, none=none)

    ledger.script.save = look
    seen["job"] = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    assert (seen["mine"], seen["also"], seen["none"]) == ([ledger.business], [ledger.business], [])
    with pytest.raises(DBAPIError, match="permission denied"), ledger.worker.begin() as db:
        db.execute(text("SELECT * FROM live.businesses"))
    with pytest.raises(DBAPIError, match="permission denied"), ledger.worker.begin() as db:
        db.execute(text("SELECT * FROM nexara.businesses"))


def test_batches_go_on_from_their_cursor(ledger):
    job_id = ledger.enqueue(Count(wall_id=uuid4()))
    states = [ledger.run()[0].state for _ in range(3)]
    assert states == ["available", "available", "succeeded"]
    assert ledger.job(job_id).attempt == 1


def test_a_failed_job_with_a_newer_twin_is_superseded(ledger):
    wall = uuid4()

    def twin_comes(_):
        ledger.enqueue(Paint(wall_id=wall))
        raise TryAgain("down")

    ledger.script.call = twin_comes
    job_id = ledger.enqueue(Paint(wall_id=wall))
    ledger.run()
    assert (ledger.job(job_id).state, ledger.job(job_id).reason) == ("discarded", "superseded")


def test_a_worker_that_was_not_heard_gives_back_unspent(ledger):
    from dataclasses import replace

    runner = replace(ledger.runner, heard=lambda: False)
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    (held,) = ledger.claimed()
    assert runner.run(held).reason == "given_back"
    assert (state(ledger, job_id), ledger.job(job_id).attempt) == ("available", 0)
    assert ledger.script.calls == []


def test_rescue_takes_from_the_silent_and_leaves_the_living(ledger):
    lost, kept, reserved = (ledger.enqueue(Paint(wall_id=uuid4())) for _ in range(3))
    held = {job.id: job for job in ledger.claimed()}
    for job_id in (lost, kept):
        ledger.sql("SELECT ledger.start_v1(:id, :fence)", id=job_id, fence=held[job_id].fence)
    living = uuid4()
    with ledger.worker.begin() as db:
        heartbeat(db, living, 8, ["walls.paint"])
        heartbeat(db, ledger.me, 8, ["walls.paint"])
    ledger.sql("UPDATE ledger.jobs SET worker_id = :living WHERE id = :id", living=living, id=kept)
    ledger.sql("UPDATE ledger.workers SET heartbeat_at = now() - interval '7 s' WHERE id = :me", me=ledger.me)
    with ledger.worker.begin() as db:
        assert rescue(db, timedelta(days=1)) == []  # a server younger than the window rescues nobody
    with ledger.worker.begin() as db:
        rescued = {job.id: job.state for job in rescue_now(ledger, db)}
    assert rescued == {lost: "available", reserved: "available"}
    assert (ledger.job(lost).attempt, ledger.job(lost).rescues) == (1, 1)
    assert (ledger.job(reserved).attempt, ledger.job(reserved).rescues) == (0, 0)
    assert state(ledger, kept) == "running"
    assert [row.outcome for row in ledger.attempts(lost)] == ["lost"]


def rescue_now(ledger, db):
    """Rescue with the shortest window that this server's age allows."""
    age = ledger.sql("SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())")
    return rescue(db, timedelta(seconds=min(6.0, float(age) - 0.01)))


def test_a_job_that_kills_its_worker_ends_dead_and_takes_nobody_with_it(ledger):
    poison = ledger.enqueue(Knock(wall_id=uuid4()))
    innocent = ledger.enqueue(Knock(wall_id=uuid4()))
    for _ in range(3):
        held = {job.id: job for job in ledger.claimed("knocks")}
        if not held[poison].started:
            assert not held[innocent].started if innocent in held else True
            ledger.sql("SELECT ledger.start_v1(:id, :fence)", id=poison, fence=held[poison].fence)
        with ledger.worker.begin() as db:
            heartbeat(db, ledger.me, 8, [])
        ledger.sql("UPDATE ledger.workers SET heartbeat_at = now() - interval '1 day'")
        with ledger.worker.begin() as db:
            rescue_now(ledger, db)
    assert (ledger.job(poison).state, ledger.job(poison).reason) == ("dead", "poison")
    assert (ledger.job(innocent).state, ledger.job(innocent).rescues) == ("available", 1)


def test_a_job_past_its_deadline_is_taken_back(ledger):
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    (held,) = ledger.claimed()
    ledger.sql("SELECT ledger.start_v1(:id, :fence)", id=job_id, fence=held.fence)
    with ledger.worker.begin() as db:
        heartbeat(db, ledger.me, 8, [])
    ledger.sql("UPDATE ledger.jobs SET deadline_at = now() - interval '1 s' WHERE id = :id", id=job_id)
    with ledger.worker.begin() as db:
        assert [(job.id, job.state) for job in rescue_now(ledger, db)] == [(job_id, "available")]
    assert ledger.attempts(job_id)[0].error_code == "past_deadline"


def test_a_load_that_fails_spends_its_attempts_and_ends(ledger):
    def fails(db, wall):
        raise RuntimeError

    ledger.script.load = fails
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    for _ in range(3):
        ledger.run()
        ledger.sql("UPDATE ledger.jobs SET run_at = now() WHERE state = 'retryable'")
        ledger.sql("SELECT ledger.promote_v1()")
    assert (ledger.job(job_id).state, ledger.job(job_id).reason) == ("dead", "attempts_exhausted")
    assert [tried.attempt for tried in ledger.attempts(job_id)] == [1, 2, 3]


def test_a_job_that_kills_its_worker_while_it_loads_is_poison_too(ledger):
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    for _ in range(3):
        (held,) = ledger.claimed()
        with ledger.worker.begin() as db:
            db.execute(text("SELECT ledger.start_v1(:id, :fence)"), {"id": held.id, "fence": held.fence})
        with ledger.worker.connect() as db:  # the load's transaction goes down with its worker
            db.execute(text("SELECT ledger.begin_load_v1(:id, :fence)"), {"id": held.id, "fence": held.fence})
            db.rollback()
        with ledger.worker.begin() as db:
            heartbeat(db, ledger.me, 8, [])
        ledger.sql("UPDATE ledger.workers SET heartbeat_at = now() - interval '1 day'")
        with ledger.worker.begin() as db:
            rescue_now(ledger, db)
    assert (ledger.job(job_id).state, ledger.job(job_id).reason) == ("dead", "poison")


def test_what_changes_between_two_batches_is_not_missed(ledger):
    wall = uuid4()
    job_id = ledger.enqueue(Count(wall_id=wall))
    ledger.run()
    assert ledger.enqueue(Count(wall_id=wall)) == job_id
    batches = [ledger.run()[0].state for _ in range(5)]
    assert batches == ["available", "succeeded", "available", "available", "succeeded"]
    assert ledger.job(job_id).state == "succeeded"
    assert ledger.sql("SELECT count(*) FROM ledger.jobs") == 1


def test_a_batch_that_succeeds_forgives_the_rescues_before_it(ledger):
    job_id = ledger.enqueue(Count(wall_id=uuid4()))
    ledger.sql("UPDATE ledger.jobs SET rescues = 2 WHERE id = :id", id=job_id)
    ledger.run()
    assert (ledger.job(job_id).state, ledger.job(job_id).rescues) == ("available", 0)


def test_a_job_that_asks_a_vendor_is_on_the_disk_before_it_is_loaded(ledger):
    """Its call outlives a crash of the server: a start that was forgotten would be missed when it saves."""
    flushed = []

    def load(db, wall):
        flushed.append(
            db.execute(text("SELECT pg_current_wal_flush_lsn() > CAST(:lsn AS pg_lsn)"), {"lsn": lsn}).scalar()
        )
        return wall

    ledger.script.load = load
    for _ in range(5):
        ledger.enqueue(Paint(wall_id=uuid4()))
        (claimed,) = ledger.claimed()
        lsn = str(ledger.sql("SELECT pg_current_wal_insert_lsn()"))
        ledger.runner.run(claimed)
        ledger.sql("DELETE FROM ledger.jobs WHERE state = 'available'")
    assert flushed == [True] * 5
