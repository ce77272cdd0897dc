"""Cancelled at a checkpoint, put off without an attempt, and how far a job is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from ledger import clock, operate
from ledger.checkpoint import checkpoint
from ledger.claim import give_back
from ledger.dispatch import promote
from ledger.errors import TryAgain
from ledger.outcome import Snooze
from ledger.watch import heartbeat
from tests.ledger.kinds import Count, Dry, Knock, Paint


def cancel(engine: Engine, job_id: int) -> None:
    with engine.begin() as db:
        operate.cancel(db, job_id)


def told(ledger: Any) -> list[int]:
    with ledger.worker.begin() as db:
        return heartbeat(db, ledger.me, 1, [])


def hearing(ledger: Any) -> Any:
    """Return a runner that asks the ledger itself what is to be cancelled."""
    return replace(ledger.runner, cancelled=lambda job_id: job_id in told(ledger))


def given_back(ledger: Any, claimed: Any) -> None:
    with ledger.worker.begin() as db:
        give_back(db, [(claimed.id, claimed.fence)])


@pytest.mark.parametrize("state", ["scheduled", "retryable", "parked", "available", "dispatched"])
def test_one_that_nobody_runs_is_cancelled_at_once(ledger: Any, on_call: Engine, state: str) -> None:
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    tokens = ledger.dispatched()
    ledger.sql("UPDATE ledger.jobs SET state = :state WHERE id = :id", state=state, id=job_id)
    cancel(on_call, job_id)
    job = ledger.job(job_id)
    assert (job.state, job.reason, job.finished_at is None) == ("cancelled", "by_hand", False)
    assert ledger.claimed(tokens=tokens) == []


def test_a_running_one_is_told_with_the_next_beat_and_ends_at_its_checkpoint(ledger: Any, on_call: Engine) -> None:
    def call(_: object) -> str:
        checkpoint()
        cancel(on_call, job_id)
        checkpoint()
        raise AssertionError("it went on")

    ledger.script.call = call
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    (claimed,) = ledger.claimed()
    assert told(ledger) == []
    assert hearing(ledger).run(claimed).state == "cancelled"
    assert (ledger.job(job_id).state, ledger.job(job_id).reason) == ("cancelled", "by_hand")
    assert told(ledger) == []


def test_a_plain_one_ends_at_its_checkpoint_too(ledger: Any, on_call: Engine) -> None:
    def call(_: object) -> str:
        cancel(on_call, job_id)
        checkpoint()
        raise AssertionError("it went on")

    ledger.script.call = call
    job_id = ledger.enqueue(Knock(wall_id=uuid4()))
    (claimed,) = ledger.claimed("knocks")
    assert hearing(ledger).run_plain(claimed) is None
    assert ledger.job(job_id).state == "cancelled"


def test_it_is_not_saved_once_the_cancellation_is_known(ledger: Any, on_call: Engine) -> None:
    def call(_: object) -> str:
        cancel(on_call, job_id)
        return "painted"

    ledger.script.call = call
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    (claimed,) = ledger.claimed()
    hearing(ledger).run(claimed)
    assert ledger.job(job_id).state == "cancelled"
    assert ledger.sql("SELECT count(*) FROM ledger.kept_answers") == 0


def test_what_was_saved_before_it_was_told_is_saved(ledger: Any, on_call: Engine) -> None:
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    (claimed,) = ledger.claimed()
    cancel(on_call, job_id)
    assert ledger.runner.run(claimed).state == "succeeded"


@pytest.mark.parametrize("how", ["fails", "is given back", "has more to do"])
def test_one_that_is_to_be_cancelled_does_not_come_round_again(ledger: Any, on_call: Engine, how: str) -> None:
    def fails(_: object) -> str:
        raise TryAgain("down")

    ledger.script.call = fails
    job_id = ledger.enqueue((Count if how == "has more to do" else Paint)(wall_id=uuid4()))
    (claimed,) = ledger.claimed()
    cancel(on_call, job_id)
    if how == "is given back":
        given_back(ledger, claimed)
    else:
        ledger.runner.run(claimed)
    assert (ledger.job(job_id).state, ledger.job(job_id).reason) == ("cancelled", "by_hand")


def test_a_cancelled_one_can_be_retried(ledger: Any, on_call: Engine) -> None:
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    (claimed,) = ledger.claimed()
    cancel(on_call, job_id)
    given_back(ledger, claimed)
    with on_call.begin() as db:
        operate.retry(db, job_id)
    (claimed,) = ledger.claimed()
    assert hearing(ledger).run(claimed).state == "succeeded"


def test_what_has_ended_cannot_be_cancelled(ledger: Any, on_call: Engine) -> None:
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.run()
    with pytest.raises(operate.Refused, match="nothing to cancel"):
        cancel(on_call, job_id)
    with pytest.raises(operate.Refused, match="there is no job"):
        cancel(on_call, 999)


def test_a_handler_puts_its_job_off_and_spends_no_attempt(ledger: Any) -> None:
    until = clock.now() + timedelta(days=3)
    ledger.script.load = lambda db, wall: Snooze(until)
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    (ended,) = ledger.run()
    job = ledger.job(job_id)
    assert (ended.state, ended.reason) == ("scheduled", "snoozed")
    assert (job.state, job.reason, job.attempt, job.run_at) == ("scheduled", "snoozed", 0, until)
    assert job.give_up_at > until
    assert ledger.attempts(job_id) == []
    assert ledger.script.calls == []


def test_on_call_puts_off_one_that_waits(ledger: Any, on_call: Engine) -> None:
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    until = clock.now() + timedelta(days=2)
    with on_call.begin() as db:
        operate.snooze(db, job_id, until)
    assert (ledger.job(job_id).state, ledger.job(job_id).run_at) == ("scheduled", until)
    for moment in (clock.now() - timedelta(hours=1), clock.now() + timedelta(days=400)):
        with pytest.raises(operate.Refused, match="within a year"), on_call.begin() as db:
            operate.snooze(db, job_id, moment)


def test_how_far_it_is_shows_until_it_is_claimed_anew(ledger: Any) -> None:
    seen: list[Any] = []

    def call(_: object) -> str:
        checkpoint(40, "priming")
        checkpoint(41)  # a moment later: not worth a write
        seen.append((ledger.job(job_id).progress, ledger.job(job_id).doing))
        raise TryAgain("down")

    ledger.script.call = call
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    assert seen == [(40, "priming")]
    ledger.sql("UPDATE ledger.jobs SET run_at = now() WHERE id = :id", id=job_id)
    with ledger.worker.begin() as db:
        promote(db)
    ledger.claimed()
    assert (ledger.job(job_id).progress, ledger.job(job_id).doing) == (None, None)


def test_inside_its_own_transaction_it_only_looks_whether_it_is_cancelled(ledger: Any) -> None:
    ledger.script.save = lambda db, wall, answer: checkpoint(90, "saving")
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    (ended,) = ledger.run()
    assert (ended.state, ledger.job(job_id).progress) == ("succeeded", None)


def test_a_job_of_batches_says_how_far_it_is_from_batch_to_batch(ledger: Any) -> None:
    job_id = ledger.enqueue(Count(wall_id=uuid4()))
    ledger.run()
    assert (ledger.job(job_id).progress, ledger.job(job_id).doing) == (33, "counting")
    ledger.claimed()
    assert (ledger.job(job_id).progress, ledger.job(job_id).doing) == (33, "counting")


@pytest.mark.parametrize(("percent", "doing"), [(101, "priming"), (5, "painting Jane's wall")])
def test_progress_is_a_number_and_a_word_of_ours(ledger: Any, percent: int, doing: str) -> None:
    ledger.enqueue(Paint(wall_id=uuid4()))
    (claimed,) = ledger.claimed()
    said = {"id": claimed.id, "fence": claimed.fence, "percent": percent, "doing": doing}
    with pytest.raises(Exception, match="0 to 100 percent"), ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.progress_v1(:id, :fence, :percent, :doing)"), said)


def test_outside_of_a_job_a_checkpoint_is_nothing() -> None:
    checkpoint(5, "waiting")
