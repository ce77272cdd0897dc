"""`nexara batches`: what on-call sees of a batch, and seals by hand."""

import json
from typing import Any
from uuid import uuid4

from ledger.batch import batch, open_batch
from tests.cli.conftest import Run
from tests.ledger.batching import completed_as_a_set, gives_up, settle
from tests.ledger.conftest import Ledger, web
from tests.ledger.kinds import Dry, Knock, Paint

__all__ = ["web"]


def test_batches_are_listed_with_what_they_wait_for_and_what_follows(ledger: Ledger, web: Any, desk: Run) -> None:
    assert "No such batch" in desk("batches", "list").stdout
    with web() as db, batch(db, then=Dry(wall_id=uuid4())) as first:
        first.enqueue(Knock(wall_id=uuid4()))
    with web() as db, batch(db, if_succeeded=Dry(wall_id=uuid4())) as second:
        second.enqueue(Paint(wall_id=uuid4()))
    completed_as_a_set(ledger)
    settle(ledger)
    newest, oldest = desk("batches", "list").stdout.splitlines()
    assert newest.startswith(f"{second.id}  sealed")
    assert "1 open" in newest
    assert newest.endswith("if_succeeded walls.dry")
    assert oldest.startswith(f"{first.id}  complete")
    assert "0 open, 1 succeeded" in oldest
    (still,) = desk("batches", "list", "--open", "--json").stdout.splitlines()
    told = json.loads(still)
    assert (told["id"], told["state"], told["members"], told["open"]) == (str(second.id), "sealed", 1, 1)


def test_a_batch_is_shown_with_the_jobs_it_waits_for_those_that_died_and_what_followed(
    ledger: Ledger, web: Any, desk: Run
) -> None:
    with web() as db, batch(db, then=Dry(wall_id=uuid4()), if_died=Dry(wall_id=uuid4())) as opened:
        dies, waits = opened.enqueue(Paint(wall_id=uuid4())), opened.enqueue(Knock(wall_id=uuid4()))
    gives_up(ledger)
    settle(ledger)
    told = desk("batches", "show", str(opened.id)).stdout
    assert f"waits for     job {waits}  walls.knock  available" in told
    assert f"died          job {dies}  walls.paint  dead" in told
    assert "then          walls.dry  not enqueued" in told
    completed_as_a_set(ledger)
    settle(ledger)
    seen = json.loads(desk("batches", "show", str(opened.id), "--json").stdout)
    assert (seen["state"], seen["ended"]) == (
        "complete",
        {"succeeded": 1, "dead": 1, "cancelled": 0, "discarded": 0},
    )
    assert [each["cue"] for each in seen["follow_ups"] if each["job_id"]] == ["if_died", "then"]
    assert [job["id"] for job in seen["died"]] == [dies]
    assert seen["waits_for"] == []


def test_a_batch_that_its_caller_left_open_is_sealed_by_hand(ledger: Ledger, web: Any, desk: Run) -> None:
    with web() as db:
        left = open_batch(db, then=Dry(wall_id=uuid4()))
    assert desk("batches", "seal", str(left.id)).stdout == f"batch {left.id} is sealed\n"
    assert "complete" in desk("batches", "list").stdout
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE kind = 'walls.dry'") == 1


def test_a_batch_that_is_not_there_is_said_to_be_none(ledger: Ledger, desk: Run) -> None:
    for command in ("show", "seal"):
        told = desk("batches", command, str(uuid4()))
        assert told.exit_code == 2
        assert "nexara batches list" in told.stderr
        assert len(told.stderr.splitlines()) == 1
