"""What on-call sees of batches, as the role that may only look, however many jobs they have."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, text

from ledger import queries
from ledger.batch import batch, open_batch
from models.batches import Cue
from models.ledger import State
from tests.ledger.batching import completed_as_a_set, gives_up, settle
from tests.ledger.kinds import Dry, Knock, Paint

MANY = """
INSERT INTO ledger.batch_members (job_id, batch_id, state)
SELECT 1000000 + n, CAST(:batch AS uuid), CASE WHEN n % 3 > 0 THEN 'succeeded' END FROM generate_series(1, :rows) n
"""
SCANS = "SELECT coalesce(sum(seq_scan), 0) FROM pg_stat_xact_user_tables WHERE relname = ANY (:tables)"
TABLES = ["jobs", "batches", "batch_members"]


@pytest.fixture
def eyes(on_call: Engine) -> Iterator[Connection]:
    with queries.looking(on_call) as db:
        yield db


def opened(web: Any, *payloads: Any) -> tuple[UUID, list[int]]:
    with web() as db, batch(db, then=Dry(wall_id=UUID(int=1)), if_succeeded=Dry(wall_id=UUID(int=2))) as made:
        return made.id, [made.enqueue(payload) for payload in payloads]


def test_a_batch_is_seen_with_its_members_by_state_and_what_follows(ledger: Any, web: Any, on_call: Engine) -> None:
    batch_id, (painted, knocked) = opened(web, Paint(wall_id=uuid4()), Knock(wall_id=uuid4()))
    gives_up(ledger)
    settle(ledger)
    with queries.looking(on_call) as db:
        seen = queries.read_batch(db, batch_id)
        assert seen is not None
        assert (seen.state, seen.members, seen.open, seen.ended[State.DEAD]) == ("sealed", 2, 1, 1)
        assert [(each.cue, each.kind, each.job_id) for each in seen.follow_ups] == [
            (Cue.IF_SUCCEEDED, "walls.dry", None),
            (Cue.THEN, "walls.dry", None),
        ]
        (waits,) = queries.list_members(db, batch_id)
        assert (waits.id, waits.kind, waits.state) == (knocked, "walls.knock", State.AVAILABLE)
        (died,) = queries.list_members(db, batch_id, State.DEAD)
        assert died.id == painted
    completed_as_a_set(ledger)
    settle(ledger)
    with queries.looking(on_call) as db:
        seen = queries.read_batch(db, batch_id)
        assert seen is not None
        assert (seen.state, seen.open, sum(seen.ended.values())) == ("complete", 0, 2)
        assert [each.job_id is not None for each in seen.follow_ups] == [False, True]


def test_batches_are_listed_last_opened_first_and_the_open_ones_alone(ledger: Any, web: Any, on_call: Engine) -> None:
    complete, _ = opened(web)
    waiting, _ = opened(web, Dry(wall_id=uuid4()))
    with web() as db:
        filling = open_batch(db, then=Dry(wall_id=uuid4())).id
    with queries.looking(on_call) as db:
        assert [seen.id for seen in queries.list_batches(db)] == [filling, waiting, complete]
        assert [seen.state for seen in queries.list_batches(db, only_open=True)] == ["open", "sealed"]
        assert [seen.id for seen in queries.list_batches(db, size=1)] == [filling]


def test_there_may_be_no_batch(ledger: Any, eyes: Connection) -> None:
    assert queries.list_batches(eyes) == ()
    assert queries.read_batch(eyes, uuid4()) is None
    assert queries.list_members(eyes, uuid4()) == ()


def test_of_a_batch_of_very_many_so_many_are_counted_and_it_says_so(ledger: Any, web: Any, on_call: Engine) -> None:
    batch_id, _ = opened(web, Dry(wall_id=uuid4()))
    ledger.sql(MANY, batch=batch_id, rows=45_000)
    with queries.looking(on_call) as db:
        before = db.execute(text(SCANS), {"tables": TABLES}).scalar_one()
        (seen,) = queries.list_batches(db)
        queries.list_members(db, batch_id)
        assert db.execute(text(SCANS), {"tables": TABLES}).scalar_one() == before
    assert (seen.ended[State.SUCCEEDED], seen.open, seen.at_least) == (20_000, 15_001, True)
