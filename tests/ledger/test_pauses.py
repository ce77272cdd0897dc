"""What is paused waits where it is seen, and goes on by itself once it is resumed."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from ledger import operate
from ledger.dispatch import settle_pauses
from ledger.errors import Misconfigured
from ledger.pause import pause, pauses, resume
from tests.ledger.kinds import Dry, Knock, Paint


def settle(ledger: Any) -> int:
    with ledger.worker.begin() as db:
        return settle_pauses(db)


def paused(engine: Engine, **what: Any) -> int:
    with engine.begin() as db:
        return pause(db, who="ada", why="the scaffold is loose", **what)


@pytest.mark.parametrize("what", ["queue", "kind", "business_id", "all three"])
def test_nothing_that_is_paused_starts_and_all_else_does(ledger: Any, on_call: Engine, what: str) -> None:
    named = {"queue": "walls", "kind": "walls.dry", "business_id": ledger.business}
    waits = ledger.enqueue(Dry(wall_id=uuid4()))
    others = {
        "queue": ledger.enqueue(Knock(wall_id=uuid4())),
        "kind": ledger.enqueue(Paint(wall_id=uuid4())),
        "business_id": ledger.enqueue(Dry(wall_id=uuid4()), ledger.other),
    }
    paused(on_call, **(named if what == "all three" else {what: named[what]}))
    claimed = {job.id for queue in ("walls", "knocks") for job in ledger.claimed(queue)}
    assert claimed >= (set(others.values()) if what == "all three" else {others[what]})
    assert waits not in claimed
    settle(ledger)
    assert (ledger.job(waits).state, ledger.job(waits).reason) == ("parked", "paused")


def test_what_was_dispatched_before_the_pause_is_not_claimed_and_what_runs_goes_on(
    ledger: Any, on_call: Engine
) -> None:
    runs = ledger.enqueue(Dry(wall_id=uuid4()))
    (claimed,) = ledger.claimed()
    waits = ledger.enqueue(Dry(wall_id=uuid4()))
    tokens = ledger.dispatched()
    paused(on_call, queue="walls")
    assert ledger.claimed(tokens=tokens) == []
    assert settle(ledger) == 1
    assert ledger.job(waits).state == "parked"
    assert ledger.runner.run(claimed).state == "succeeded"
    assert ledger.job(runs).state == "succeeded"


def test_resumed_it_goes_on_by_itself_with_its_key(ledger: Any, on_call: Engine) -> None:
    wall = uuid4()
    job_id = ledger.enqueue(Paint(wall_id=wall))
    pause_id = paused(on_call, kind="walls.paint")
    settle(ledger)
    assert ledger.enqueue(Paint(wall_id=wall)) == job_id, "a parked job keeps its key"
    with on_call.begin() as db:
        resume(db, pause_id, who="bob")
        assert pauses(db) == []
    assert settle(ledger) == 1
    assert [job.id for job in ledger.claimed()] == [job_id]
    assert ledger.sql("SELECT who || '/' || why || '/' || ended_by FROM ledger.pauses") == (
        "ada/the scaffold is loose/bob"
    )


def test_a_job_of_two_pauses_waits_for_both(ledger: Any, on_call: Engine) -> None:
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    first, second = paused(on_call, queue="walls"), paused(on_call, business_id=ledger.business)
    settle(ledger)
    for pause_id, state in ((first, "parked"), (second, "available")):
        with on_call.begin() as db:
            resume(db, pause_id, who="bob")
        settle(ledger)
        assert ledger.job(job_id).state == state


def test_the_same_pause_twice_is_one(ledger: Any, on_call: Engine) -> None:
    assert paused(on_call, queue="walls") == paused(on_call, queue="walls")
    assert paused(on_call, queue="walls", kind="walls.dry") != paused(on_call, queue="walls")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "names a queue, a kind or a business"),
        ({"queue": "nowhere"}, "no such queue"),
        ({"kind": "no.kind"}, "unknown kind"),
        ({"queue": "walls", "why": " "}, "who asked for it and why"),
    ],
)
def test_a_pause_says_what_who_and_why(ledger: Any, on_call: Engine, given: dict[str, Any], words: str) -> None:
    with pytest.raises(operate.Refused, match=words), on_call.begin() as db:
        pause(db, **{"who": "ada", "why": "x", **given})


def test_what_is_not_paused_cannot_be_resumed(ledger: Any, on_call: Engine) -> None:
    with pytest.raises(operate.Refused, match="not there"), on_call.begin() as db:
        resume(db, 77, who="bob")


def no_key(_: object) -> str:
    raise Misconfigured("no_key", "There is no key.", setting="PAINT_KEY")


def test_a_wrong_setting_pauses_its_kind_and_mending_it_brings_all_back(ledger: Any, on_call: Engine) -> None:
    ledger.script.call = no_key
    first = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    second, dry = ledger.enqueue(Paint(wall_id=uuid4())), ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.run()
    settle(ledger)
    assert [ledger.job(job_id).state for job_id in (first, second, dry)] == ["parked", "parked", "succeeded"]
    assert len(ledger.script.calls) == 1, "the second was not tried in vain"
    with on_call.begin() as db:
        (known,) = pauses(db)
        assert (known.kind, known.code, known.who) == ("walls.paint", "no_key", "the engine")
        resume(db, known.id, who="ada")
    settle(ledger)
    ledger.script.call = lambda _: "painted"
    ledger.run()
    assert [ledger.job(job_id).state for job_id in (first, second)] == ["succeeded", "succeeded"]
    assert ledger.job(first).attempt == 1


def test_one_business_with_a_wrong_setting_stops_nobody_else(ledger: Any) -> None:
    def call(_: object) -> str:
        raise Misconfigured("token_revoked", setting="the calendar", of_business=True)

    ledger.script.call = call
    mine = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    ledger.script.call = lambda _: "painted"
    theirs = ledger.enqueue(Paint(wall_id=uuid4()), ledger.other)
    ledger.run()
    assert (ledger.job(mine).state, ledger.job(theirs).state) == ("parked", "succeeded")


def test_a_retry_by_hand_of_what_a_wrong_setting_parked_ends_the_engines_pause(ledger: Any, on_call: Engine) -> None:
    ledger.script.call = no_key
    job_id = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    with on_call.begin() as db:
        operate.retry(db, job_id)
        assert pauses(db) == []
    ledger.run()
    with on_call.begin() as db:
        assert len(pauses(db)) == 1, "it is still wrong: paused again"


def test_a_retry_by_hand_of_what_somebody_paused_is_refused(ledger: Any, on_call: Engine) -> None:
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    paused(on_call, queue="walls")
    settle(ledger)
    with pytest.raises(operate.Refused, match="waits for a pause"), on_call.begin() as db:
        operate.retry(db, job_id)
