"""A job changed by hand: another payload, checked as if it were enqueued; or run at once, as it stands."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from ledger.errors import GiveUp, TryAgain
from ledger.operate import Refused, edit, run_now, snooze
from ledger.pause import pause
from tests.ledger.kinds import Count, Dry, Paint

A_WALL = "7d0c9a52-3c7e-4a35-9f0f-0e6b1f3c2a11"


@pytest.fixture
def dead(ledger):
    """A job that gave up."""

    def call(_):
        raise GiveUp("no_such_wall")

    ledger.script.call = call
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    assert ledger.job(job_id).state == "dead"
    return job_id


def key(ledger, job_id):
    return ledger.sql(
        "SELECT unique_key = ledger.key_of(business_id, payload, ARRAY['wall_id']) FROM ledger.jobs WHERE id = :id",
        id=job_id,
    )


def test_a_dead_job_is_given_another_payload_and_runs_with_it(ledger, on_call, dead):
    wall = uuid4()
    with on_call.begin() as db:
        stored = edit(db, dead, {"wall_id": str(wall).upper(), "colour": "red", "glossy": True})
    assert stored == {"wall_id": str(wall), "colour": "red", "glossy": True}
    job = ledger.job(dead)
    assert (job.state, job.attempt, job.payload) == ("available", 0, stored)
    assert key(ledger, dead)
    ledger.script.call = lambda _: "painted"
    ledger.run()
    assert ledger.script.calls[-1] == wall
    assert ledger.job(dead).state == "succeeded"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({}, "lacks wall_id"),
        ({"wall_id": "no uuid"}, "wall_id must be a UUID"),
        ({"wall_id": A_WALL, "colour": "mauve"}, "colour must be a code, one of red, blue"),
        ({"wall_id": A_WALL, "glossy": "yes"}, "glossy must be a flag"),
        ({"wall_id": A_WALL, "smell": "fresh"}, "a field it does not know: smell"),
        ([], "must be a JSON object"),
    ],
    ids=str,
)
def test_a_payload_is_checked_as_if_it_were_enqueued_and_nothing_is_changed(ledger, on_call, dead, payload, said):
    before = ledger.job(dead)
    with on_call.begin() as db, pytest.raises(Refused, match=said):
        edit(db, dead, payload)
    assert ledger.job(dead) == before


def test_a_payload_that_is_the_same_is_no_change(ledger, on_call, dead):
    with on_call.begin() as db, pytest.raises(Refused, match="nothing of the payload was changed"):
        edit(db, dead, dict(ledger.job(dead).payload))


@pytest.mark.parametrize("state", ["dead", "retryable"])
def test_a_payload_that_an_open_job_has_already_names_that_job(ledger, on_call, state):
    def call(_):
        raise GiveUp("no_such_wall") if state == "dead" else TryAgain("vendor_down")

    ledger.script.call = call
    mine = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    wall = uuid4()
    theirs = ledger.enqueue(Paint(wall_id=wall))
    before = ledger.job(mine)
    assert before.state == state
    with on_call.begin() as db, pytest.raises(Refused, match=f"what job {theirs} is about to do already"):
        edit(db, mine, {"wall_id": str(wall)})
    assert ledger.job(mine) == before


def test_a_job_that_somebody_does_is_not_changed(ledger, on_call):
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.claimed()
    with on_call.begin() as db, pytest.raises(Refused, match="is running: only a job that waits or has failed"):
        edit(db, job_id, {"wall_id": str(uuid4())})


def test_a_changed_job_of_batches_begins_anew(ledger, on_call):
    job_id = ledger.enqueue(Count(wall_id=uuid4()))
    ledger.run()
    ledger.sql("UPDATE ledger.jobs SET state = 'retryable', run_at = now() + interval '1 h' WHERE id = :id", id=job_id)
    assert ledger.job(job_id).cursor is not None
    with on_call.begin() as db:
        edit(db, job_id, {"wall_id": str(uuid4())})
    assert ledger.job(job_id).cursor is None


def test_a_job_that_waits_runs_at_once_and_keeps_its_attempts(ledger, on_call):
    def call(_):
        raise TryAgain("vendor_down")

    ledger.script.call = call
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    with on_call.begin() as db:
        assert run_now(db, job_id) == "available"
    job = ledger.job(job_id)
    assert (job.state, job.attempt, job.reason) == ("available", 1, None)
    assert job.run_at <= ledger.sql("SELECT now()")
    ledger.run()
    assert ledger.job(job_id).attempt == 2


def test_a_job_that_was_put_off_runs_at_once(ledger, on_call):
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    with on_call.begin() as db:
        snooze(db, job_id, ledger.sql("SELECT now() + interval '1 day'"))
    with on_call.begin() as db:
        run_now(db, job_id)
    assert [ended.state for ended in ledger.run()] == ["succeeded"]


def test_a_job_that_waits_for_a_pause_or_has_ended_is_not_run_at_once(ledger, on_call, dead):
    with on_call.begin() as db, pytest.raises(Refused, match="is dead: only a job that waits"):
        run_now(db, dead)
    waiting = ledger.enqueue(Dry(wall_id=uuid4()))
    with on_call.begin() as db:
        pause(db, who="kim", why="the walls are wet", kind="walls.dry")
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.settle_pauses_v1()"))
    with on_call.begin() as db, pytest.raises(Refused, match="waits for a pause"):
        run_now(db, waiting)
