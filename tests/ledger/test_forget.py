"""Jobs that name an erased row end and are forgotten: in the erasing job's own business, whatever state they are in."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import sleep
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger.claim import complete_many
from ledger.errors import TryAgain
from ledger.operate import Refused, retry
from ledger.queries import read_story
from tests.ledger.batching import counts, made, see, settle
from tests.ledger.kinds import Count, Dry, Frame, Knock, Paint

FORGET = text("SELECT ledger.forget_jobs_v1(CAST(:ids AS uuid[]))")
IN_STATE = """
INSERT INTO ledger.jobs (id, kind, queue, priority, business_id, root_id, payload, unique_key, state, fence,
                         max_attempts, run_at, give_up_at, finished_at, started_at, actor)
SELECT new, 'walls.paint', 'walls', 2, :business, new, jsonb_build_object('wall_id', CAST(:wall AS text)),
       sha256(convert_to(new::text, 'UTF8')), :state, 4, 3, now() + interval '1 h', now() + interval '1 d',
       CASE WHEN :state IN ('succeeded', 'dead', 'cancelled', 'discarded') THEN now() END,
       CASE WHEN :state = 'running' THEN now() END, :actor
FROM nextval('ledger.jobs_id_seq') new RETURNING id
"""
OPEN = ("scheduled", "retryable", "parked", "available", "dispatched", "running")
FINISHED = ("succeeded", "dead", "cancelled", "discarded")


@contextmanager
def a_job(ledger: Any, business: UUID | None = None):
    """Give the transaction in which a job of the business is saved; the queue of frames is its own."""
    ledger.enqueue(Frame(wall_id=uuid4()), business)
    (held,) = ledger.claimed("frames")
    known = {"id": held.id, "fence": held.fence}
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), known)
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.begin_save_v1(:id, :fence)"), known)
        yield db


def forget(ledger: Any, *ids: UUID, business: UUID | None = None) -> int:
    with a_job(ledger, business) as db:
        return int(db.execute(FORGET, {"ids": [str(each) for each in ids]}).scalar_one())


def put(ledger: Any, wall: UUID, state: str, business: UUID | None = None, actor: UUID | None = None) -> int:
    return int(ledger.sql(IN_STATE, wall=wall, state=state, business=business or ledger.business, actor=actor))


def there(ledger: Any, job_id: int) -> bool:
    return bool(ledger.sql("SELECT count(*) FROM ledger.jobs WHERE id = :id", id=job_id))


def test_an_open_job_is_cancelled_whatever_it_waits_for_and_keeps_no_id(ledger):
    wall = uuid4()
    jobs = [put(ledger, wall, state) for state in OPEN]
    assert forget(ledger, uuid4(), wall) == len(jobs)
    for job in map(ledger.job, jobs):
        assert (job.state, job.reason, job.fence) == ("cancelled", "erased", 5)
        assert (job.payload, job.unique_key, job.worker_id) == ({}, None, None)
        assert job.finished_at is not None
    assert str(wall) not in str(ledger.sql("SELECT array_agg(jobs::text) FROM ledger.jobs"))


def test_a_finished_job_goes_with_its_attempts(ledger):
    wall, other = uuid4(), uuid4()
    ledger.script.call = lambda _: (_ for _ in ()).throw(TryAgain("down"))
    failed, stays = ledger.enqueue(Paint(wall_id=wall)), ledger.enqueue(Paint(wall_id=other))
    ledger.run()
    ledger.sql("UPDATE ledger.jobs SET state = 'dead', finished_at = now()")
    jobs = [put(ledger, wall, state) for state in FINISHED]
    assert forget(ledger, wall) == 1 + len(jobs)
    assert not any(there(ledger, job) for job in (failed, *jobs))
    assert ledger.attempts(failed) == []
    assert ledger.job(stays).state == "dead"
    assert len(ledger.attempts(stays)) == 1


def test_a_running_job_s_save_finds_that_it_has_moved_on_and_what_was_paid_for_is_gone(ledger):
    wall = uuid4()
    job_id = ledger.enqueue(Paint(wall_id=wall))
    saved: list[UUID] = []
    ledger.script.save = lambda db, wall, answer: saved.append(wall)
    ledger.script.call = lambda _: f"painted {forget(ledger, wall)}"
    (ended,) = ledger.run()
    assert ended.state == "moved_on"
    assert saved == []
    assert (ledger.job(job_id).state, ledger.job(job_id).reason) == ("cancelled", "erased")
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE kind = 'walls.dry'") == 0
    assert ledger.sql("SELECT count(*) FROM ledger.kept_answers") == 0


def test_what_was_kept_of_a_vendor_s_answer_goes_at_once(ledger):
    wall = uuid4()
    ledger.script.save = lambda db, wall, answer: (_ for _ in ()).throw(ConnectionResetError())
    job_id = ledger.enqueue(Paint(wall_id=wall))
    ledger.run()
    assert ledger.sql("SELECT count(*) FROM ledger.kept_answers") == 1
    assert len(ledger.attempts(job_id)) == 1
    forget(ledger, wall)
    assert ledger.sql("SELECT count(*) FROM ledger.kept_answers") == 0
    assert ledger.attempts(job_id) == []


def test_another_business_s_jobs_are_not_touched(ledger):
    wall = uuid4()
    theirs = [put(ledger, wall, state, ledger.other, wall) for state in (*OPEN, *FINISHED)]
    before = [tuple(ledger.job(job)) for job in theirs]
    assert forget(ledger, wall) == 0
    assert [tuple(ledger.job(job)) for job in theirs] == before
    assert forget(ledger, wall, business=ledger.other) == len(theirs)


def test_the_job_that_asks_is_left_alone(ledger):
    with a_job(ledger) as db:
        me = db.execute(text("SELECT current_setting('nexara.job')::bigint")).scalar_one()
        mine = ledger.job(me).payload["wall_id"]
        assert db.execute(FORGET, {"ids": [mine]}).scalar() == 0
    assert ledger.job(me).payload == {"wall_id": mine}
    assert ledger.job(me).state == "succeeded"


def test_a_cursor_names_rows_too_and_an_actor_is_forgotten_alone(ledger):
    wall, member = uuid4(), uuid4()
    counting = ledger.enqueue(Count(wall_id=uuid4()))
    ledger.sql("UPDATE ledger.jobs SET cursor = jsonb_build_object('after', CAST(:wall AS text))", wall=wall)
    asked = put(ledger, uuid4(), "running", actor=member)
    assert forget(ledger, wall, member) == 1
    assert (ledger.job(counting).state, ledger.job(counting).cursor) == ("cancelled", None)
    assert (ledger.job(asked).state, ledger.job(asked).fence, ledger.job(asked).actor) == ("running", 4, None)


def test_what_is_saved_in_this_moment_ends_first_and_its_follow_up_is_found(ledger):
    wall = uuid4()
    job_id = ledger.enqueue(Dry(wall_id=wall))
    (held,) = ledger.claimed()
    known = {"id": held.id, "fence": held.fence}
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), known)
    with ledger.worker.connect() as saving, saving.begin() as its_save, ThreadPoolExecutor(1) as beside:
        saving.execute(text("SELECT ledger.begin_save_v1(:id, :fence)"), known)
        enqueue_dry = text("SELECT ledger.enqueue_job_v1('walls.dry', jsonb_build_object('wall_id', CAST(:w AS text)))")
        child = saving.execute(enqueue_dry, {"w": str(wall)}).scalar_one()
        asked = beside.submit(forget, ledger, wall)
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%forget_jobs_v1%'"
        for _ in range(500):
            if ledger.sql(waits):
                break
            sleep(0.01)
        its_save.commit()
        assert asked.result(20) == 2
    assert not there(ledger, job_id)
    assert (ledger.job(child).state, ledger.job(child).reason) == ("cancelled", "erased")


def test_a_key_is_free_again_and_the_job_is_not_to_be_retried(ledger, on_call):
    wall = uuid4()
    job_id = ledger.enqueue(Paint(wall_id=wall))
    forget(ledger, wall)
    assert ledger.enqueue(Paint(wall_id=wall)) != job_id
    with on_call.begin() as db, pytest.raises(Refused, match="has been erased: there is nothing to retry"):
        retry(db, job_id)


def test_the_chain_of_a_forgotten_job_can_still_be_looked_at(ledger, on_call):
    wall = uuid4()
    first = ledger.enqueue(Paint(wall_id=wall))
    ledger.run()
    second = ledger.sql("SELECT id FROM ledger.jobs WHERE kind = 'walls.dry'")
    ledger.sql(
        "UPDATE ledger.jobs SET payload = jsonb_build_object('wall_id', gen_random_uuid()) WHERE id = :id", id=second
    )
    forget(ledger, wall)
    with on_call.begin() as db:
        story = read_story(db, second)
        assert read_story(db, first) is None
    assert story is not None
    assert [link.job.id for link in story.chain] == [second]


def test_a_batch_waits_for_no_job_that_was_forgotten_and_nothing_about_it_follows(ledger, web):
    wall, other = uuid4(), uuid4()
    batch_id, (ended, goes, stays) = made(
        web,
        Knock(wall_id=wall),
        Dry(wall_id=wall),
        Dry(wall_id=other),
        then=Dry(wall_id=wall),
        if_died=Dry(wall_id=other),
    )
    (knock,) = ledger.claimed("knocks")
    with ledger.worker.begin() as db:
        complete_many(db, [(knock.id, knock.fence)])
    settle(ledger)
    assert forget(ledger, wall) == 2
    assert not there(ledger, ended)
    assert there(ledger, goes)
    settle(ledger)
    assert counts(ledger, batch_id) == (1, 1, 0, 1, 0)
    ledger.run()
    settle(ledger)
    assert (see(ledger, batch_id).state, ledger.job(stays).state) == ("complete", "succeeded")
    assert ledger.sql("SELECT array_agg(cue) FROM ledger.batch_follow_ups") == ["if_died"]


def test_only_a_job_that_holds_its_fence_forgets_and_only_by_ids(ledger):
    with a_job(ledger) as db, pytest.raises(DBAPIError) as refused, db.begin_nested():
        db.execute(FORGET, {"ids": [None]})
    assert refused.value.orig.sqlstate == "22023"
    job_id = ledger.enqueue(Frame(wall_id=uuid4()))
    with ledger.worker.begin() as db:
        db.execute(
            text("SELECT set_config('nexara.job', :id, true), set_config('role', 'tenant_job', true)"),
            {"id": str(job_id)},
        )
        with pytest.raises(DBAPIError) as refused, db.begin_nested():
            db.execute(FORGET, {"ids": [str(uuid4())]})
    assert refused.value.orig.sqlstate == "NX001"


MANY = """
INSERT INTO ledger.jobs (id, kind, queue, priority, business_id, root_id, payload, state,
                         max_attempts, run_at, give_up_at, finished_at)
SELECT new, 'walls.dry', 'walls', 2, CASE WHEN n % 49 = 0 THEN CAST(:business AS uuid) ELSE gen_random_uuid() END, new,
       jsonb_build_object('wall_id', gen_random_uuid()), CASE WHEN n % 10 = 0 THEN 'available' ELSE 'succeeded' END, 3,
       now(),
       now() + interval '1 d', CASE WHEN n % 10 <> 0 THEN now() END
FROM (SELECT n, nextval('ledger.jobs_id_seq') AS new FROM generate_series(1, :rows) n) g
"""
READ = text(
    "SELECT coalesce(sum(seq_scan), 0), coalesce(sum(idx_tup_fetch), 0) FROM pg_stat_xact_user_tables "
    "WHERE schemaname = 'ledger' AND relname = 'jobs'"
)


def test_the_table_is_read_once_and_no_job_that_is_not_meant_by_an_index(ledger):
    with ledger.admin.begin() as db:
        db.execute(text(MANY), {"business": ledger.business, "rows": 50_000})
    meant = ledger.sql(
        "SELECT array_agg(payload ->> 'wall_id') "
        "FROM (SELECT payload FROM ledger.jobs WHERE business_id = :b LIMIT 200) f",
        b=ledger.business,
    )
    ids = [*meant, *(str(uuid4()) for _ in range(10_000))]
    for statistics in ("of an empty table", "of now"):
        if statistics == "of now":
            ledger.sql("ANALYZE ledger.jobs")
        with a_job(ledger) as db:
            save = db.begin_nested()
            before = db.execute(READ).one()
            assert db.execute(FORGET, {"ids": ids}).scalar() == len(meant), statistics
            after = db.execute(READ).one()
            save.rollback()
        assert after[0] - before[0] == 1, statistics
        assert after[1] - before[1] <= 8 * len(meant), statistics
