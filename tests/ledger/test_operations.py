"""One action on many jobs: each is touched once or counted as left out, whoever else acts and whatever dies."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger.audit import Actor
from ledger.operate import Refused, discard, retry
from ledger.operations import Created, cancel, create
from ledger.pause import pause
from ledger.queries import JobFilter, looking
from ledger.queries.operations import list_operations, read_operation
from ledger.queries.targets import OPERABLE, find_targets, target_ids
from models.ledger import State
from models.operations import Action, Standing
from models.operators import Role
from tests.ledger.kinds import Count, Dry, Paint
from tests.ledger.operating import PRINT, Upkeep, fail, operation

KIM, LEE = Actor("kim", Role.OPERATOR), Actor("lee", Role.OPERATOR)
GROUP = JobFilter(failing=PRINT)


@pytest.fixture
def upkeep(ledger):
    return Upkeep(ledger)


def ask(on_call, action=Action.RETRY, wanted=GROUP, *, who=KIM, why="the vendor is back", **more) -> Created:
    with on_call.begin() as db:
        return create(db, who, action, wanted, why=why, **more)


def states(ledger, ids) -> Counter[str]:
    with ledger.admin.begin() as db:
        return Counter(db.execute(text("SELECT state FROM ledger.jobs WHERE id = ANY (:ids)"), {"ids": ids}).scalars())


def fences(ledger, ids) -> Counter[int]:
    with ledger.admin.begin() as db:
        return Counter(db.execute(text("SELECT fence FROM ledger.jobs WHERE id = ANY (:ids)"), {"ids": ids}).scalars())


def test_a_group_is_retried_in_batches_and_each_job_once(ledger, on_call, upkeep):
    ids = fail(ledger, 1201)
    others = fail(ledger, 3, fingerprint="fedcba9876543210")
    made = ask(on_call)
    assert states(ledger, ids) == {"dead": 1201}
    upkeep.batch()
    now = operation(ledger, made.id)
    assert (now.state, now.total, now.done) == ("working", 1201, 500)
    assert states(ledger, ids) == {"dead": 701, "available": 500}
    upkeep.to_the_end()
    now = operation(ledger, made.id)
    assert (now.state, now.done, now.skipped) == ("done", 1201, {})
    assert states(ledger, ids) == {"available": 1201}
    assert fences(ledger, ids) == {4: 1201}
    assert states(ledger, others) == {"dead": 3}
    job = ledger.job(ids[0])
    assert (job.attempt, job.reason, job.finished_at, job.fingerprint) == (0, None, None, None)
    assert ledger.job(now.job_id).state == "succeeded"


def test_a_group_is_discarded_with_what_was_kept_of_its_vendors(ledger, on_call, upkeep):
    ids = fail(ledger, 3)
    ledger.sql("INSERT INTO ledger.kept_answers (job_id, input_hash, answer) VALUES (:id, 'a', '{}')", id=ids[0])
    made = ask(on_call, Action.DISCARD)
    upkeep.to_the_end()
    assert states(ledger, ids) == {"discarded": 3}
    assert operation(ledger, made.id).done == 3
    assert ledger.sql("SELECT count(*) FROM ledger.kept_answers") == 0


def test_rows_that_moved_on_are_left_out_and_counted_by_why(ledger, on_call, upkeep):
    ids = fail(ledger, 6)
    made = ask(on_call)
    with on_call.begin() as db:
        retry(db, ids[0])
        discard(db, ids[1])
    ledger.sql("DELETE FROM ledger.jobs WHERE id = :id", id=ids[2])
    upkeep.to_the_end()
    now = operation(ledger, made.id)
    assert (now.state, now.done, now.skipped) == ("done", 3, {"moved_on": 2, "gone": 1})
    assert ledger.job(ids[1]).state == "discarded"


def test_of_two_operators_at_once_each_row_is_retried_by_one(ledger, on_call, upkeep):
    ids = fail(ledger, 700)
    made = [ask(on_call), ask(on_call, who=LEE)]
    second = Upkeep(ledger)
    for _ in range(10):
        claimed = upkeep.claimed()
        with ThreadPoolExecutor(2) as workers:
            list(workers.map(lambda job, by: by.runner.run(job), claimed, [upkeep, second]))
    ended = [operation(ledger, each.id) for each in made]
    assert [each.state for each in ended] == ["done", "done"]
    assert sum(each.done for each in ended) == 700
    assert sum(sum(each.skipped.values()) for each in ended) == 700
    assert {word for each in ended for word in each.skipped} == {"moved_on"}
    assert fences(ledger, ids) == {4: 700}
    per_job = ledger.sql("SELECT max(n) FROM (SELECT count(*) n FROM ledger.audit, unnest(jobs) j GROUP BY j) x")
    assert per_job == 1


def test_a_job_that_was_retried_and_failed_again_is_not_retried_by_an_operation_that_was_asked_for_before(
    ledger, on_call, upkeep
):
    ids = fail(ledger, 501)
    made = [ask(on_call), ask(on_call, who=LEE)]
    with on_call.begin() as db:
        retry(db, ids[0])
    ledger.sql(
        "UPDATE ledger.jobs SET state = 'dead', fence = fence + 1, fingerprint = :p, failed_at = now() WHERE id = :id",
        id=ids[0],
        p=PRINT,
    )
    upkeep.to_the_end()
    assert states(ledger, ids) == {"available": 500, "dead": 1}
    assert ledger.job(ids[0]).fence == 5
    ended = [operation(ledger, each.id) for each in made]
    assert sum(each.done for each in ended) == 500
    assert sum(each.skipped["moved_on"] for each in ended) == 502


def test_a_batch_that_dies_with_its_worker_was_never_done_and_is_done_once_by_the_next(ledger, on_call, upkeep):
    ids = fail(ledger, 1000)
    made = ask(on_call)
    upkeep.batch()
    (claimed,) = upkeep.claimed()
    known = {"id": claimed.id, "fence": claimed.fence}
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), known)
    dying = ledger.worker.connect()
    dying.begin()
    dying.execute(text("SELECT ledger.begin_save_v1(:id, :fence)"), known)
    dying.execute(text("SELECT * FROM ledger.operate_v1(:id)"), {"id": made.id})
    pid = dying.execute(text("SELECT pg_backend_pid()")).scalar_one()
    ledger.sql("SELECT pg_terminate_backend(:pid, 5000)", pid=pid)  # for the server, what kill -9 comes to
    dying.invalidate()
    assert states(ledger, ids) == {"available": 500, "dead": 500}
    assert operation(ledger, made.id).done == 500
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.give_back_v1(ARRAY[:id], ARRAY[:fence])"), known)
    upkeep.to_the_end()
    assert fences(ledger, ids) == {4: 1000}
    assert operation(ledger, made.id).done == 1000


def test_retried_jobs_come_due_one_after_the_other_to_spare_the_vendor(ledger, on_call, upkeep):
    ids = fail(ledger, 600)
    before = ledger.sql("SELECT clock_timestamp()")
    ask(on_call, spread=timedelta(minutes=10))
    upkeep.to_the_end()
    after = ledger.sql("SELECT clock_timestamp()")
    with ledger.admin.begin() as db:
        rows = db.execute(
            text("SELECT state, reason, run_at, give_up_at FROM ledger.jobs WHERE id = ANY (:ids) ORDER BY run_at"),
            {"ids": ids},
        ).all()
    assert Counter(row.state for row in rows) == {"scheduled": 599, "available": 1}
    assert Counter(row.reason for row in rows) == {"spread": 599, None: 1}
    due = [row.run_at for row in rows]
    gaps = [later - earlier for earlier, later in pairwise(due)]
    assert max(gaps) - min(gaps) < timedelta(milliseconds=1)
    assert sum(gaps, timedelta()) == pytest.approx(timedelta(minutes=10), abs=timedelta(seconds=2))
    assert before <= due[0] <= after
    assert all(row.give_up_at - row.run_at == timedelta(days=1) for row in rows)


def test_a_spread_that_was_held_up_never_comes_due_faster_than_asked(ledger, on_call, upkeep):
    ids = fail(ledger, 1000)
    made = ask(on_call, spread=timedelta(minutes=10))
    upkeep.batch()
    ledger.sql("UPDATE ledger.operations SET next_run_at = next_run_at - interval '1 hour' WHERE id = :id", id=made.id)
    ledger.sql("UPDATE ledger.jobs SET run_at = run_at - interval '1 hour' WHERE id = ANY (:ids)", ids=ids)
    held_until = ledger.sql("SELECT clock_timestamp()")
    upkeep.to_the_end()
    due = ledger.sql(
        "SELECT array_agg(run_at ORDER BY run_at) FROM ledger.jobs WHERE id = ANY (:ids)"
        " AND run_at > now() - interval '1 min'",
        ids=ids,
    )
    assert len(due) == 500
    assert due[0] >= held_until
    assert due[-1] - due[0] == pytest.approx(timedelta(minutes=5), abs=timedelta(seconds=2))


def test_a_cancelled_operation_leaves_the_rest_as_it_was(ledger, on_call, upkeep):
    ids = fail(ledger, 1200)
    made = ask(on_call)
    upkeep.batch()
    with on_call.begin() as db:
        cancel(db, LEE, made.id, why="the vendor is down again")
    upkeep.to_the_end()
    assert states(ledger, ids) == {"available": 500, "dead": 700}
    with looking(on_call) as db:
        seen = read_operation(db, made.id)
        assert list_operations(db) == (seen,)
    assert (seen.state, seen.done, seen.to_do, seen.cancelled_by) == (Standing.CANCELLED, 500, 700, "lee")
    assert seen.cancelled_why == "the vendor is down again"
    assert ledger.sql("SELECT count(*) FROM ledger.operation_batches") == 0
    assert ledger.job(seen.job_id).state == "succeeded"
    with on_call.begin() as db, pytest.raises(Refused, match="is cancelled already"):
        cancel(db, LEE, made.id)


def test_a_cancellation_waits_for_the_batch_that_is_being_done_and_stops_the_next(ledger, on_call, upkeep):
    fail(ledger, 600)
    made = ask(on_call)
    (claimed,) = upkeep.claimed()
    known = {"id": claimed.id, "fence": claimed.fence}
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), known)
    with ThreadPoolExecutor(1) as other, ledger.worker.connect() as db, db.begin() as batch:
        db.execute(text("SELECT ledger.begin_save_v1(:id, :fence)"), known)
        db.execute(text("SELECT * FROM ledger.operate_v1(:id)"), {"id": made.id})

        def cancelled():
            with on_call.begin() as theirs:
                cancel(theirs, LEE, made.id)

        waiting = other.submit(cancelled)
        assert not waiting.done()
        db.execute(text("""SELECT ledger.go_on_v1('{"stage": "batches"}')"""))
        batch.commit()
        waiting.result(timeout=10)
    upkeep.to_the_end()
    now = operation(ledger, made.id)
    assert (now.state, now.done) == ("cancelled", 500)


def test_a_job_whose_key_a_newer_one_has_taken_is_left_out_and_the_others_are_not(ledger, on_call, upkeep):
    ids = fail(ledger, 4)
    wall = ledger.job(ids[1]).payload["wall_id"]
    newer = ledger.enqueue(Paint(wall_id=UUID(wall)))
    made = ask(on_call)
    upkeep.to_the_end()
    now = operation(ledger, made.id)
    assert (now.done, now.skipped) == (3, {"has_a_twin": 1})
    assert (ledger.job(ids[1]).state, ledger.job(newer).state) == ("dead", "available")


def test_of_two_failed_jobs_with_one_key_one_is_retried(ledger, on_call, upkeep):
    ids = fail(ledger, 2)
    ledger.sql(
        "UPDATE ledger.jobs SET unique_key = (SELECT unique_key FROM ledger.jobs WHERE id = :a) WHERE id = :b",
        a=ids[0],
        b=ids[1],
    )
    made = ask(on_call)
    upkeep.to_the_end()
    assert operation(ledger, made.id).skipped == {"has_a_twin": 1}
    assert states(ledger, ids) == {"dead": 1, "available": 1}


def test_a_key_that_is_taken_in_the_very_moment_costs_that_row_alone(ledger, on_call):
    ids = fail(ledger, 5)
    wall = ledger.job(ids[2]).payload["wall_id"]
    newer = ledger.enqueue(Paint(wall_id=UUID(wall)))
    could = ledger.sql("SELECT ledger.retry_all(:ids, now(), interval '1 s')", ids=ids)
    assert could == [job_id for job_id in ids if job_id != ids[2]]
    assert states(ledger, ids) == {"scheduled": 3, "available": 1, "dead": 1}
    assert ledger.job(newer).state == "available"


def test_a_row_that_somebody_has_locked_is_tried_again_at_the_end(ledger, on_call, upkeep):
    ids = fail(ledger, 600)
    listed = find(on_call)
    made = ask(on_call)
    with ledger.admin.connect() as db, db.begin():
        db.execute(text("SELECT FROM ledger.jobs WHERE id = ANY (:ids) FOR UPDATE"), {"ids": listed[:2]})
        upkeep.batch()
        assert operation(ledger, made.id).done == 498
        upkeep.batch()
    upkeep.to_the_end()
    now = operation(ledger, made.id)
    assert (now.state, now.done, now.skipped) == ("done", 600, {})
    assert fences(ledger, ids) == {4: 600}


def test_a_row_that_stays_locked_is_left_out_in_the_end_and_holds_nobody_up(ledger, on_call, upkeep):
    ids = fail(ledger, 3)
    made = ask(on_call)
    with ledger.admin.connect() as db, db.begin():
        db.execute(text("SELECT FROM ledger.jobs WHERE id = :id FOR UPDATE"), {"id": ids[0]})
        upkeep.to_the_end()
    now = operation(ledger, made.id)
    assert (now.state, now.done, now.skipped) == ("done", 2, {"being_written": 1})


def find(on_call, wanted=GROUP, action=Action.RETRY):
    with looking(on_call) as db:
        return target_ids(db, action, wanted)


def test_a_retry_of_a_group_ends_the_pause_that_its_wrong_setting_made_and_no_other(ledger, on_call, upkeep):
    parked = fail(ledger, 2, state="parked")
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.misconfigured_v1('walls.paint', 'no_key')"))
    ask(on_call)
    upkeep.to_the_end()
    assert states(ledger, parked) == {"available": 2}
    assert ledger.sql("SELECT count(*) FROM ledger.pauses WHERE ended_at IS NULL") == 0
    paused = fail(ledger, 2)
    with on_call.begin() as db:
        pause(db, who="kim", why="the walls are wet", kind="walls.paint")
    made = ask(on_call)
    upkeep.to_the_end()
    assert operation(ledger, made.id).skipped == {"paused": 2}
    assert states(ledger, paused) == {"dead": 2}


def test_who_asked_what_why_and_for_which_jobs_is_in_the_audit_in_the_same_transaction(ledger, on_call, upkeep):
    ids = fail(ledger, 2)
    with on_call.connect() as db, db.begin() as undone:
        create(db, KIM, Action.RETRY, GROUP, why="it is mended")
        undone.rollback()
    assert ledger.sql("SELECT count(*) FROM ledger.audit") == 0
    made = ask(on_call, spread=timedelta(minutes=5))
    upkeep.to_the_end()
    rows = ledger.sql("SELECT jsonb_agg(to_jsonb(a) - 'at' ORDER BY id) FROM ledger.audit a")
    assert [row["action"] for row in rows] == ["operations.retry", "operations.batch"]
    assert {row["who"] for row in rows} == {"kim"}
    assert rows[0]["id"] == made.audit_id
    assert rows[0]["about"]["operation"] == str(made.id)
    assert rows[0]["about"]["filter"] == {"failing": PRINT}
    assert rows[0]["about"]["jobs"] == 2
    assert sorted(rows[1]["jobs"]) == ids
    assert rows[1]["about"] == {"operation": str(made.id), "action": "retry"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"why": "  "}, "why"),
        ({"why": "call kim@example.com"}, "names nobody"),
        ({"spread": timedelta(days=2)}, "a day at most"),
        ({"spread": timedelta(minutes=1), "action": Action.DISCARD}, "no time"),
        ({"wanted": JobFilter(failing="nothing_failed_so")}, "look again"),
        ({"wanted": JobFilter(state=State.SUCCEEDED)}, "look again"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused_and_writes_nothing(ledger, on_call, change, said):
    fail(ledger, 1)
    with pytest.raises(Refused, match=said):
        ask(on_call, **change)
    assert ledger.sql("SELECT count(*) FROM ledger.operations") == 0
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE kind = 'operations.apply'") == 0


def test_a_filter_without_a_state_means_what_failed_and_one_with_a_state_that_alone(ledger, on_call):
    dead, parked = fail(ledger, 2), fail(ledger, 1, state="parked")
    retryable = fail(ledger, 1, state="retryable", kind="walls.dry", business=ledger.other)
    waiting = ledger.enqueue(Dry(wall_id=uuid4()))
    assert sorted(find(on_call, JobFilter())) == sorted(dead + parked + retryable)
    assert sorted(find(on_call, JobFilter(kind="walls.paint"))) == sorted(dead + parked)
    assert find(on_call, JobFilter(business_id=ledger.other)) == retryable
    assert find(on_call, JobFilter(state=State.PARKED)) == parked
    assert find(on_call, JobFilter(failing=PRINT, state=State.RETRYABLE)) == retryable
    assert find(on_call, JobFilter(state=State.AVAILABLE)) == []
    assert find(on_call, JobFilter(state=State.AVAILABLE), Action.DISCARD) == [waiting]
    assert find(on_call, JobFilter(id=waiting), Action.DISCARD) == [waiting]
    assert sorted(find(on_call, JobFilter(code="no_such_wall", state=State.DEAD))) == dead


def test_before_an_operation_one_sees_how_many_jobs_of_which_states_and_kinds_and_a_few_of_them(ledger, on_call):
    fail(ledger, 12)
    fail(ledger, 3, state="parked", business=ledger.other)
    fail(ledger, 2, kind="walls.dry", fingerprint="fedcba9876543210")
    with looking(on_call) as db:
        found = find_targets(db, Action.RETRY, JobFilter())
        nothing = find_targets(db, Action.RETRY, JobFilter(state=State.RUNNING))
    assert (found.total, found.more, found.businesses) == (17, False, 2)
    assert found.states == {State.DEAD: 14, State.PARKED: 3}
    assert list(found.kinds.items()) == [("walls.paint", 15), ("walls.dry", 2)]
    assert len(found.sample) == 10
    assert {job.last_error.code for job in found.sample} == {"no_such_wall"}
    assert (nothing.total, nothing.sample) == (0, ())


def test_the_ledger_and_its_pages_agree_on_what_can_be_done_in_which_state(ledger):
    for action in Action:
        for state in State:
            agrees = ledger.sql("SELECT ledger.operable(:action, :state)", action=action.value, state=state.value)
            assert agrees == (state in OPERABLE[action]), (action, state)


def test_a_job_of_a_business_applies_no_operation(ledger, on_call, upkeep):
    fail(ledger, 1)
    made = ask(on_call)
    ledger.enqueue(Count(wall_id=uuid4()))
    (claimed,) = ledger.claimed()
    known = {"id": claimed.id, "fence": claimed.fence}
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), known)
    with ledger.worker.connect() as db, db.begin():
        db.execute(text("SELECT ledger.begin_save_v1(:id, :fence)"), known)
        with pytest.raises(DBAPIError, match="only a job of the house"):
            db.execute(text("SELECT * FROM ledger.operate_v1(:id)"), {"id": made.id})


def test_an_operation_whose_job_ended_is_told_to_be_stuck_and_goes_on_when_that_is_retried(ledger, on_call, upkeep):
    ids = fail(ledger, 600)
    made = ask(on_call)
    upkeep.batch()
    job_id = operation(ledger, made.id).job_id
    with on_call.begin() as db:
        discard(db, job_id)
    with looking(on_call) as db:
        assert read_operation(db, made.id).stuck
    with on_call.begin() as db:
        retry(db, job_id)
    upkeep.to_the_end()
    assert states(ledger, ids) == {"available": 600}
    with looking(on_call) as db:
        assert not read_operation(db, made.id).stuck


def test_an_operation_that_nobody_asked_for_is_not_applied(ledger, on_call, upkeep):
    with on_call.begin() as db:
        statement = "SELECT ledger.enqueue_job_v1('operations.apply', CAST(:payload AS jsonb), CAST(:house AS uuid))"
        house = "00000000-0000-0000-0000-000000000000"
        db.execute(text(statement), {"payload": f'{{"operation_id": "{uuid4()}"}}', "house": house})
    upkeep.to_the_end()
    assert [ended.state for ended in upkeep.told] == ["cancelled"]
