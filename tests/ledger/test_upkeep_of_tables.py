"""The tables stay small and quick: what vacuum is told, what a pruning holds, and what a pause over a backlog costs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, text

from ledger.dispatch import dispatch, settle_pauses, waiting
from ledger.pause import pause, resume
from models.ledger import EMPTYING
from tests.ledger.kinds import Dry
from tests.ledger.test_plans import FINISHED, HOUSE, READ

EMPTIED = {"jobs", "batch_members", "batch_ends"}
BACKLOG, PART = 12_000, 5000
WAIT = """
INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, max_attempts, give_up_at)
SELECT :kind, 'walls', 2, :business, n, '{}', 'available', 8, now() + interval '1 day' FROM generate_series(1, :rows) n
"""
PRUNE = text("SELECT ledger.prune_v1(now(), :most)")
AGE = "UPDATE ledger.jobs SET finished_at = now() - interval '31 days' WHERE id % 2 = 0 AND finished_at IS NOT NULL"


def test_vacuum_keeps_up_with_the_tables_that_change_all_the_time(ledger: Any) -> None:
    wanted = {f"{name}={value}" for name, value in EMPTYING.items()}
    with ledger.admin.begin() as db:
        rows = db.execute(
            text(
                "SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind = 'r'"
            )
        )
        told = {row.relname: set(row.reloptions or ()) for row in rows}
    assert {name for name, options in told.items() if wanted <= options} == EMPTIED
    assert all("autovacuum_enabled=false" not in options for options in told.values())
    # What is written in place every second or so: room on its page, so that no index grows.
    assert all("fillfactor=50" in told[name] for name in ("workers", "turns", "bell"))


def prune(ledger: Any, most: int) -> int:
    """Prune as a job of the house, which alone may: its save."""
    with pruning(ledger, most) as gone:
        return gone


@contextmanager
def pruning(ledger: Any, most: int) -> Iterator[int]:
    """Prune, and commit at the end of the block."""
    ledger.sql(WAIT, kind="walls.dry", business=HOUSE, rows=1)
    (held,) = [job for job in ledger.claimed() if job.business_id == HOUSE]
    known = {"id": held.id, "fence": held.fence}
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), known)
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.begin_save_v1(:id, :fence)"), known)
        yield int(db.execute(PRUNE, {"most": most}).scalar_one())


def test_a_pruning_takes_a_part_at_a_time_and_passes_over_what_somebody_looks_at(ledger: Any) -> None:
    ledger.sql(FINISHED, rows=100, business=ledger.business)
    ledger.sql(AGE)
    with ledger.admin.connect() as other:
        other.execute(text("SELECT FROM ledger.jobs WHERE id % 2 = 0 AND finished_at IS NOT NULL LIMIT 5 FOR UPDATE"))
        assert [prune(ledger, most) for most in (20, 1000, 1000)] == [20, 25, 0]
        other.rollback()
    assert prune(ledger, 1000) == 5
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE kind = 'walls.paint'") == 50


def test_what_a_pruning_holds_keeps_no_enqueuer_and_no_pick_waiting(ledger: Any) -> None:
    ledger.sql(FINISHED, rows=100, business=ledger.business)
    ledger.sql(AGE)
    with pruning(ledger, 1000) as gone, ThreadPoolExecutor(1) as pool:
        assert gone == 50
        made = pool.submit(ledger.enqueue, Dry(wall_id=uuid4())).result(5)
        assert [job.id for job in pool.submit(ledger.claimed).result(5)] == [made]


def paused(on_call: Engine, **what: Any) -> int:
    with on_call.begin() as db:
        return pause(db, who="ada", why="a test", **what)


def read(db: Connection, statement: Any) -> int:
    """Return how many rows of jobs a statement fetched by an index; none may be read in full."""
    before = db.execute(READ, {"tables": ["jobs"]}).one()
    statement(db)
    after = db.execute(READ, {"tables": ["jobs"]}).one()
    assert after[0] == before[0], "the table was read in full"
    return int(after[1] - before[1])


@pytest.mark.parametrize("what", ["queue", "business_id"])
def test_a_pick_reads_nothing_of_a_backlog_whose_queue_or_business_is_paused(
    ledger: Any, on_call: Engine, what: str
) -> None:
    ledger.sql(WAIT, kind="walls.dry", business=ledger.business, rows=BACKLOG)
    ledger.sql(WAIT, kind="walls.dry", business=ledger.other, rows=3)
    paused(on_call, **{what: {"queue": "walls", "business_id": ledger.business}[what]})
    with ledger.worker.begin() as db:
        assert read(db, lambda db: dispatch(db, "walls", [100] * 4)) <= 20
        assert read(db, waiting) <= 5
    picked = ledger.sql("SELECT count(*) FROM ledger.jobs WHERE state = 'dispatched'")
    assert picked == (0 if what == "queue" else 3)


@pytest.mark.parametrize("what", ["queue", "kind", "business_id"])
def test_a_backlog_is_parked_and_freed_in_parts_each_of_which_reads_its_own_rows(
    ledger: Any, on_call: Engine, what: str
) -> None:
    ledger.sql("ALTER TABLE ledger.jobs SET (autovacuum_enabled = false)")
    ledger.sql(WAIT, kind="walls.dry", business=ledger.business, rows=BACKLOG)
    named: dict[str, str | UUID] = {"queue": "walls", "kind": "walls.dry", "business_id": ledger.business}
    waits = paused(on_call, **{what: named[what]})

    def parts() -> list[int]:
        moved = []
        while not moved or moved[-1]:
            with ledger.worker.begin() as db:
                reading = read(db, lambda db: moved.append(settle_pauses(db)))
            assert reading <= 3 * max(moved[-1], 10)
        return moved

    assert parts() == [PART, PART, BACKLOG - 2 * PART, 0]
    assert parts() == [0], "while it lasts, what it has parked is not looked at again"
    with on_call.begin() as db:
        resume(db, waits, who="bob")
    assert parts() == [PART, PART, BACKLOG - 2 * PART, 0]
    assert ledger.sql("SELECT settled FROM ledger.pauses")
    assert parts() == [0]


def test_a_job_that_somebody_holds_while_its_pause_ends_is_freed_later(ledger: Any, on_call: Engine) -> None:
    ledger.sql(WAIT, kind="walls.dry", business=ledger.business, rows=1)
    waits = paused(on_call, queue="walls")
    with ledger.worker.begin() as db:
        assert settle_pauses(db) == 1
    with on_call.begin() as db:
        resume(db, waits, who="bob")
    with ledger.admin.connect() as other:
        other.execute(text("SELECT FROM ledger.jobs FOR UPDATE"))
        with ledger.worker.begin() as db:
            assert settle_pauses(db) == 0
        other.rollback()
    with ledger.worker.begin() as db:
        assert settle_pauses(db) == 1
