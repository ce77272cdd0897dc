"""No business takes more than its share of what a queue has in flight."""

from typing import Any
from uuid import uuid4

from ledger.dispatch import dispatch, threads
from ledger.watch import heartbeat
from tests.ledger.kinds import Dry, Paint


def picked(ledger: Any, share: int, room: int = 100) -> list[int]:
    with ledger.worker.begin() as db:
        return [job.id for job in dispatch(db, "walls", [room] * 4, share)]


def test_a_backfill_leaves_room_for_whoever_comes_later(ledger: Any) -> None:
    backfill = [ledger.enqueue(Dry(wall_id=uuid4())) for _ in range(20)]
    assert picked(ledger, 3) == backfill[:3]
    assert picked(ledger, 3) == [], "neither in Redis nor running has anything changed"
    mine = ledger.enqueue(Dry(wall_id=uuid4()), ledger.other)
    assert picked(ledger, 3) == [mine]


def test_what_runs_counts_and_what_has_ended_does_not(ledger: Any) -> None:
    backfill = [ledger.enqueue(Dry(wall_id=uuid4())) for _ in range(5)]
    with ledger.worker.begin() as db:
        tokens = [(job.id, job.fence) for job in dispatch(db, "walls", [100] * 4, 2)]
    held = ledger.claimed(tokens=tokens)
    assert picked(ledger, 2) == []
    ledger.runner.run(held[0])
    assert picked(ledger, 2) == backfill[2:3]


def test_an_urgent_job_does_not_wait_for_the_backfill_of_its_own_business(ledger: Any) -> None:
    for _ in range(5):
        ledger.enqueue(Dry(wall_id=uuid4()))
    assert len(picked(ledger, 2)) == 2
    urgent = ledger.sql(
        "SELECT ledger.enqueue_job_v1('walls.paint', jsonb_build_object('wall_id', gen_random_uuid()), :business, 0)",
        business=ledger.business,
    )
    assert picked(ledger, 2) == [urgent]
    assert ledger.job(urgent).kind == Paint.kind


def test_the_threads_of_the_living_are_counted(ledger: Any) -> None:
    with ledger.worker.begin() as db:
        heartbeat(db, ledger.me, 6, [])
        heartbeat(db, uuid4(), 8, [])
        assert threads(db) == 14
    ledger.sql("UPDATE ledger.workers SET heartbeat_at = now() - interval '1 min' WHERE id = :id", id=ledger.me)
    with ledger.worker.begin() as db:
        assert threads(db) == 8
