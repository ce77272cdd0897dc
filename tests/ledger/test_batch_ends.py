"""A batch completes in whatever way its jobs end, and counts them so; one that will run again has not ended."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from ledger import clock, operate
from ledger.batch import my_batches
from ledger.claim import give_back
from ledger.dispatch import settle_batches
from ledger.errors import TryAgain
from ledger.outcome import Cancel, Snooze
from ledger.watch import heartbeat, rescue
from tests.ledger.batching import (
    BAD,
    GOOD,
    THEN,
    completed_as_a_set,
    counts,
    followed,
    gives_up,
    kept,
    made,
    see,
    settle,
)
from tests.ledger.kinds import Count, Dry, Knock, Paint


def succeeds(ledger: Any, on_call: Engine, job: int) -> None:
    assert [ended.state for ended in ledger.run()] == ["succeeded"]


def runs_out_of_attempts(ledger: Any, on_call: Engine, job: int) -> None:
    def fails(_: Any) -> str:
        raise TryAgain("down")

    ledger.script.call = fails
    for _ in range(3):
        ledger.sql("UPDATE ledger.jobs SET state = 'available' WHERE state = 'retryable'")
        ledger.run()


def handler_cancels(ledger: Any, on_call: Engine, job: int) -> None:
    ledger.script.load = lambda db, wall: Cancel("nothing_to_paint")
    ledger.run()


def cancelled_while_it_waits(ledger: Any, on_call: Engine, job: int) -> None:
    with on_call.begin() as db:
        operate.cancel(db, job)


def cancelled_while_it_runs(ledger: Any, on_call: Engine, job: int) -> None:
    (held,) = ledger.claimed("walls")
    with on_call.begin() as db:
        operate.cancel(db, job)
    with ledger.worker.begin() as db:
        give_back(db, [(held.id, held.fence)])


def cancelled_between_two_of_its_batches(ledger: Any, on_call: Engine, job: int) -> None:
    (held,) = ledger.claimed("walls")
    with on_call.begin() as db:
        operate.cancel(db, job)
    assert ledger.runner.run(held).state == "cancelled"


def discarded_by_hand(ledger: Any, on_call: Engine, job: int) -> None:
    with on_call.begin() as db:
        operate.discard(db, job)


def dies_with_its_worker(ledger: Any, on_call: Engine, job: int) -> None:
    ledger.sql("UPDATE ledger.jobs SET rescues = 2 WHERE id = :id", id=job)
    (held,) = ledger.claimed("walls")
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), {"id": held.id, "fence": held.fence})
    _rescue(ledger)


def past_its_deadline(ledger: Any, on_call: Engine, job: int) -> None:
    with ledger.worker.begin() as db:
        heartbeat(db, ledger.me, 8, [])
    ledger.sql("UPDATE ledger.jobs SET attempt = 7, max_attempts = 8 WHERE id = :id", id=job)
    (held,) = ledger.claimed("walls")
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), {"id": held.id, "fence": held.fence})
    ledger.sql("UPDATE ledger.jobs SET deadline_at = now() - interval '1 s' WHERE id = :id", id=job)
    with ledger.worker.begin() as db:
        rescue(db, timedelta(milliseconds=500))
    assert ledger.job(job).reason == "past_deadline"


def goes_on_to_its_end(ledger: Any, on_call: Engine, job: int) -> None:
    while ledger.run():
        settle(ledger)


def erased_before_it_ran(ledger: Any, on_call: Engine, job: int) -> None:
    ledger.sql("DELETE FROM ledger.jobs WHERE id = :id", id=job)


def _rescue(ledger: Any) -> None:
    ledger.sql("UPDATE ledger.jobs SET deadline_at = now() - interval '1 s', claimed_at = now() - interval '1 day'")
    with ledger.worker.begin() as db:
        rescue(db, timedelta(milliseconds=10))


ENDS: dict[str, tuple[Any, Any, str]] = {
    "succeeds": (Dry, succeeds, "succeeded"),
    "completed_as_a_set": (Knock, completed_as_a_set, "succeeded"),
    "goes_on_to_its_end": (Count, goes_on_to_its_end, "succeeded"),
    "gives_up": (Paint, gives_up, "dead"),
    "runs_out_of_attempts": (Paint, runs_out_of_attempts, "dead"),
    "dies_with_its_worker": (Dry, dies_with_its_worker, "dead"),
    "past_its_deadline": (Dry, past_its_deadline, "dead"),
    "handler_cancels": (Paint, handler_cancels, "cancelled"),
    "cancelled_while_it_waits": (Dry, cancelled_while_it_waits, "cancelled"),
    "cancelled_while_it_runs": (Dry, cancelled_while_it_runs, "cancelled"),
    "cancelled_between_two_of_its_batches": (Count, cancelled_between_two_of_its_batches, "cancelled"),
    "discarded_by_hand": (Dry, discarded_by_hand, "discarded"),
    "erased_before_it_ran": (Dry, erased_before_it_ran, "discarded"),
}


def fails(ledger: Any, held: Any) -> None:
    def down(_: Any) -> str:
        raise TryAgain("down")

    ledger.script.call = down
    assert ledger.runner.run(held).state == "retryable"


def parks(ledger: Any, held: Any) -> None:
    park = "SELECT ledger.fail_v1(:id, :fence, '{\"outcome\": \"bug\"}', 'parked', NULL, 'no_key', false)"
    with ledger.worker.begin() as db:
        assert db.execute(text(park), {"id": held.id, "fence": held.fence}).scalar() == "parked"


def is_rescued(ledger: Any, held: Any) -> None:
    _rescue(ledger)
    assert ledger.job(held.id).state == "available"


def is_given_back(ledger: Any, held: Any) -> None:
    with ledger.worker.begin() as db:
        assert give_back(db, [(held.id, held.fence)]) == 1


def is_put_off(ledger: Any, held: Any) -> None:
    ledger.script.load = lambda db, wall: Snooze(clock.now() + timedelta(hours=1))
    assert ledger.runner.run(held).state == "scheduled"


def goes_on(ledger: Any, held: Any) -> None:
    assert ledger.runner.run(held).state == "available"


@pytest.mark.parametrize("way", ENDS)
def test_a_batch_completes_in_whatever_way_its_job_ends(ledger: Any, web: Any, on_call: Engine, way: str) -> None:
    kind, end, state = ENDS[way]
    batch_id, (job,) = made(web, kind(wall_id=uuid4()), then=THEN, if_succeeded=GOOD, if_died=BAD)
    settle(ledger)
    assert see(ledger, batch_id).state == "sealed"
    end(ledger, on_call, job)
    settle(ledger)
    kept_counts = {
        name: getattr(kept(ledger, batch_id), name) for name in ("succeeded", "dead", "cancelled", "discarded")
    }
    assert kept_counts == {name: int(name == state) for name in kept_counts}
    came = {what: len(jobs) for what, jobs in followed(ledger, batch_id).items()}
    assert came == {"then": 1, "good": int(state == "succeeded"), "bad": int(state == "dead")}


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        (Paint, fails),
        (Paint, parks),
        (Paint, is_rescued),
        (Paint, is_given_back),
        (Paint, is_put_off),
        (Count, goes_on),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_job_that_will_run_again_has_not_ended(ledger: Any, web: Any, kind: Any, way: Any) -> None:
    batch_id, _ = made(web, kind(wall_id=uuid4()))
    (held,) = ledger.claimed("walls")
    way(ledger, held)
    settle(ledger)
    assert (see(ledger, batch_id).state, see(ledger, batch_id).open) == ("sealed", 1)
    assert followed(ledger, batch_id)["then"] == []


def test_a_job_that_ends_without_success_adds_what_must_happen_all_the_same(ledger: Any, web: Any) -> None:
    """`otherwise` enqueues a follow-up; added to the batch in the transaction that ends the job, it is waited for."""
    batch_id, (job,) = made(web, Paint(wall_id=uuid4()))
    (held,) = ledger.claimed()
    known = {"id": held.id, "fence": held.fence}
    with Session(ledger.worker) as db, db.begin():
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), known)
    with Session(ledger.worker) as db, db.begin():
        end = "SELECT ledger.begin_end_v1(:id, :fence, 'dead', 'gave_up', '{\"outcome\": \"gave_up\"}')"
        assert db.execute(text(end), known).scalar()
        (mine,) = my_batches(db)
        mine.enqueue(Knock(wall_id=uuid4()))
    settle(ledger)
    assert counts(ledger, batch_id) == (1, 0, 1, 0, 0)
    completed_as_a_set(ledger)
    settle(ledger)
    assert see(ledger, batch_id).state == "complete"
    assert ledger.job(job).state == "dead"


def test_a_job_that_a_newer_twin_supersedes_leaves_its_place_to_it(ledger: Any, web: Any) -> None:
    wall = uuid4()
    batch_id, (old,) = made(web, Paint(wall_id=wall), then=THEN, if_succeeded=GOOD)
    (held,) = ledger.claimed()
    newer = ledger.enqueue(Paint(wall_id=wall))
    with ledger.worker.begin() as db:
        give_back(db, [(held.id, held.fence)])
    assert (ledger.job(old).state, ledger.job(old).reason) == ("discarded", "superseded")
    settle(ledger)
    assert (see(ledger, batch_id).state, counts(ledger, batch_id)) == ("sealed", (1, 0, 0, 0, 0))
    (ended,) = ledger.run()
    assert (ended.job_id, ended.state) == (newer, "succeeded")
    settle(ledger)
    assert (see(ledger, batch_id).state, counts(ledger, batch_id)) == ("complete", (0, 1, 0, 0, 0))
    assert len(followed(ledger, batch_id)["good"]) == 1


def test_a_dead_job_that_is_retried_before_the_batch_completed_is_waited_for_again(
    ledger: Any, web: Any, on_call: Engine
) -> None:
    batch_id, jobs = made(web, Paint(wall_id=uuid4()), Knock(wall_id=uuid4()), then=THEN, if_died=BAD)
    gives_up(ledger)
    settle(ledger)
    assert counts(ledger, batch_id) == (1, 0, 1, 0, 0)
    with on_call.begin() as db:
        operate.retry(db, jobs[0])
    completed_as_a_set(ledger)
    settle(ledger)
    assert (see(ledger, batch_id).state, counts(ledger, batch_id)) == ("sealed", (1, 1, 0, 0, 0))
    ledger.script.call = lambda wall: "painted"
    ledger.run()
    settle(ledger)
    assert counts(ledger, batch_id) == (0, 2, 0, 0, 0)
    assert followed(ledger, batch_id)["bad"] == []


def test_a_dead_job_that_is_retried_after_the_batch_completed_changes_the_counts_alone(
    ledger: Any, web: Any, on_call: Engine
) -> None:
    batch_id, (job,) = made(web, Paint(wall_id=uuid4()), then=THEN, if_succeeded=GOOD, if_died=BAD)
    gives_up(ledger)
    settle(ledger)
    before = kept(ledger, batch_id)
    assert {what: len(jobs) for what, jobs in followed(ledger, batch_id).items()} == {"then": 1, "good": 0, "bad": 1}
    with on_call.begin() as db:
        operate.retry(db, job)
    settle(ledger)
    assert (see(ledger, batch_id).state, counts(ledger, batch_id)) == ("complete", (1, 0, 0, 0, 0))

    def save(db: Session, wall: UUID, answer: str) -> None:
        (mine,) = my_batches(db)
        mine.enqueue(Knock(wall_id=uuid4()))

    ledger.script.call = lambda wall: "painted"
    ledger.script.save = save
    ledger.run()
    completed_as_a_set(ledger)
    settle(ledger)
    after = kept(ledger, batch_id)
    assert (after.succeeded, after.dead, after.completed_at) == (2, 0, before.completed_at)
    assert {what: len(jobs) for what, jobs in followed(ledger, batch_id).items()} == {"then": 1, "good": 0, "bad": 1}


def test_a_dead_job_that_is_discarded_by_hand_changes_how_it_counts(ledger: Any, web: Any, on_call: Engine) -> None:
    batch_id, (job,) = made(web, Paint(wall_id=uuid4()))
    gives_up(ledger)
    settle(ledger)
    with on_call.begin() as db:
        operate.discard(db, job)
    settle(ledger)
    assert (kept(ledger, batch_id).dead, kept(ledger, batch_id).discarded) == (0, 1)


def test_members_that_were_pruned_keep_their_count(ledger: Any, web: Any) -> None:
    batch_id, (old, _) = made(web, Dry(wall_id=uuid4()), Knock(wall_id=uuid4()))
    ledger.run()
    settle(ledger)
    ledger.sql("DELETE FROM ledger.jobs WHERE id = :id", id=old)
    settle(ledger)
    assert counts(ledger, batch_id) == (1, 1, 0, 0, 0)
    completed_as_a_set(ledger)
    settle(ledger)
    assert (kept(ledger, batch_id).succeeded, kept(ledger, batch_id).discarded) == (2, 0)


def test_of_the_notes_of_one_job_the_last_counts_however_few_are_taken_up_at_once(
    ledger: Any, web: Any, on_call: Engine
) -> None:
    batch_id, (job,) = made(web, Dry(wall_id=uuid4()))
    for act in (operate.cancel, operate.retry, operate.discard, operate.retry):
        with on_call.begin() as db:
            act(db, job)
    with ledger.worker.begin() as db:
        assert settle_batches(db) == 1
    assert (see(ledger, batch_id).state, see(ledger, batch_id).open) == ("sealed", 1)
    assert ledger.sql("SELECT count(*) FROM ledger.batch_ends") == 0


def test_jobs_of_no_batch_write_no_note(ledger: Any, on_call: Engine) -> None:
    job = ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.run()
    other = ledger.enqueue(Dry(wall_id=uuid4()))
    with on_call.begin() as db:
        operate.discard(db, other)
    ledger.sql("DELETE FROM ledger.jobs WHERE id = :id", id=job)
    assert ledger.sql("SELECT count(*) FROM ledger.batch_ends") == 0
