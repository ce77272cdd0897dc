"""Somebody's transaction that stays open: what it holds back, how much the rest reads for it, and who is told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from dashboard.alerts import Level, find
from dashboard.figures import read_figures
from ledger import clock
from ledger.claim import claim, complete_many
from ledger.dispatch import dispatch
from ledger.queries import OpenTransaction, looking, read_oldest
from tests.ledger.conftest import Ledger
from tests.ledger.kinds import Knock
from tests.ledger.test_database_busy import until
from workers.doctor import told_of

MANY, A_SET = 12_000, 500
"""Jobs that go their whole way while a snapshot is held, three arrows each; and how many of them at a time."""
ON_A_PAGE = 30  # rows of jobs, at least
ENQUEUE = """
INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, max_attempts, give_up_at)
SELECT 'walls.knock', 'knocks', 2, :business, n, '{}', 'available', 8, now() + interval '1 day'
FROM generate_series(1, :rows) n
"""
PLAIN = ["walls.knock"]


@contextmanager
def forgotten(
    engine: Engine, statement: str, isolation: Any = "REPEATABLE READ", **values: Any
) -> Iterator[Connection]:
    """Leave a transaction open behind a statement."""
    with engine.connect().execution_options(isolation_level=isolation) as db:
        db.execute(text(statement), values)
        yield db
        db.rollback()


def test_a_row_that_an_idle_transaction_holds_is_passed_over_by_the_pick_and_by_the_claim(ledger: Ledger) -> None:
    held, *others = [ledger.enqueue(Knock(wall_id=uuid4())) for _ in range(4)]
    lock = "SELECT FROM ledger.jobs WHERE id = :id FOR UPDATE"
    with forgotten(ledger.admin, lock, "READ COMMITTED", id=held):
        tokens = ledger.dispatched("knocks")
        assert sorted(job_id for job_id, _ in tokens) == others
        assert len(ledger.claimed(tokens=tokens)) == 3
    tokens = ledger.dispatched("knocks")
    assert [job_id for job_id, _ in tokens] == [held]
    with forgotten(ledger.admin, lock, "READ COMMITTED", id=held):
        assert ledger.claimed(tokens=tokens) == []
    assert [job.id for job in ledger.claimed(tokens=tokens)] == [held]


def test_an_old_snapshot_makes_the_pick_read_what_it_keeps_once_and_the_claim_and_completion_nothing_more(
    ledger: Ledger,
) -> None:
    # Autovacuum would make the comparison a matter of luck; a snapshot keeps it from removing anything anyway.
    ledger.sql("ALTER TABLE ledger.jobs SET (autovacuum_enabled = false)")
    walk(ledger, A_SET)
    ledger.sql("ANALYZE ledger.jobs")
    fresh = costs(ledger)
    with forgotten(ledger.web, "SELECT nexara.act_for(:id)", id=ledger.business):
        walk(ledger, MANY)
        old = costs(ledger)
    vacuum(ledger)
    again = costs(ledger)
    print(f"pages that a pick, a claim and a completion of {A_SET} read: {fresh}, then {old}, after it {again}")
    pick, claimed, completed = old
    kept = MANY / ON_A_PAGE
    assert pick > fresh[0] + kept / 2, "else nothing was held back, and this measures nothing"
    # What was dispatched since has left its entries at the head of the index, which lead to rows that are packed.
    assert pick < fresh[0] + 6 * kept
    assert claimed < 1.3 * fresh[1]
    assert completed < 1.3 * fresh[2]
    assert again[0] < 1.1 * fresh[0], "what it kept is gone with it"


def test_whoever_looks_sees_the_oldest_transaction_and_how_to_end_it(ledger: Ledger, on_call: Engine) -> None:
    for eyes in (ledger.worker, on_call):
        with eyes.connect() as db:
            assert read_oldest(db) is None
    with forgotten(ledger.web, "SELECT nexara.act_for(:id)", id=ledger.business) as first:
        pid = first.execute(text("SELECT pg_backend_pid()")).scalar()
        with forgotten(ledger.admin, "SELECT count(*) FROM ledger.jobs"):
            for eyes in (ledger.worker, on_call):
                with eyes.connect() as db:
                    oldest = read_oldest(db)
                assert oldest is not None
                assert (oldest.pid, oldest.role, oldest.state) == (pid, "nexara_web", "idle in transaction")
                assert timedelta(0) <= oldest.age < timedelta(minutes=1)
            assert ledger.sql(oldest.mend) is True
        first.invalidate()
        until(lambda: _oldest(ledger) is None)


def test_a_transaction_that_read_nothing_and_one_of_another_database_keep_nothing(
    ledger: Ledger, databases: Callable[[], Any]
) -> None:
    with databases() as other:
        elsewhere = create_engine(other.admin_url)
        with (
            forgotten(elsewhere, "SELECT count(*) FROM ledger.jobs"),
            forgotten(ledger.web, "SELECT 1", "READ COMMITTED"),
            ledger.worker.connect() as db,
        ):
            assert read_oldest(db) is None
        elsewhere.dispose()


@pytest.mark.parametrize(
    ("age", "level"),
    [(timedelta(seconds=59), None), (timedelta(minutes=2), Level.SOON), (timedelta(minutes=11), Level.NOW)],
)
def test_on_call_is_told_of_an_old_one_and_what_to_do(
    ledger: Ledger, on_call: Engine, age: timedelta, level: Level | None
) -> None:
    with forgotten(ledger.web, "SELECT nexara.act_for(:id)", id=ledger.business), looking(on_call) as db:
        figures = read_figures(db, clock.now())
    assert figures.oldest is not None
    figures = replace(figures, oldest=replace(figures.oldest, age=age))
    found = [alert for alert in find(figures) if alert.title.startswith("A transaction")]
    finding = told_of(figures.oldest)
    assert finding.well == (level is None)
    assert [alert.level for alert in found] == ([level] if level else [])
    for told in [finding.mend] if level else []:
        assert "pg_terminate_backend" in told
        assert str(figures.oldest.pid) in found[0].advice


def _oldest(ledger: Ledger) -> OpenTransaction | None:
    with ledger.worker.connect() as db:
        return read_oldest(db)


def walk(ledger: Ledger, rows: int) -> None:
    """Take so many jobs from the enqueue to their end, in sets."""
    ledger.sql(ENQUEUE, rows=rows, business=ledger.business)
    with ledger.worker.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        for _ in range(rows // A_SET):
            tokens = [(job.id, job.fence) for job in dispatch(db, "knocks", [0, 0, A_SET, 0])]
            held = claim(db, ledger.me, ledger.registry.kinds, PLAIN, tokens)
            assert complete_many(db, [(job.id, job.fence) for job in held]) == A_SET


def costs(ledger: Ledger) -> tuple[int, int, int]:
    """Return how many pages a pick, a claim and a completion of one set read."""
    ledger.sql(ENQUEUE, rows=A_SET, business=ledger.business)
    with ledger.admin.connect() as db:
        pick = pages(db, "SELECT * FROM ledger.dispatch_v1('knocks', ARRAY[0, 0, 500, 0])")
        db.commit()
        row = db.execute(
            text("SELECT array_agg(id), array_agg(fence) FROM ledger.jobs WHERE state = 'dispatched'")
        ).one()
        values = {"ids": row[0], "fences": row[1], "me": ledger.me, "kinds": ledger.registry.kinds, "plain": PLAIN}
        claimed = pages(db, "SELECT * FROM ledger.claim_v1(:me, :kinds, :plain, :ids, :fences)", **values)
        db.commit()
        values["fences"] = [fence + 1 for fence in row[1]]
        completed = pages(db, "SELECT * FROM ledger.complete_many_v1(:ids, :fences)", **values)
        db.commit()
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE state <> 'succeeded'") == 0
    return pick, claimed, completed


def pages(db: Connection, statement: str, **values: Any) -> int:
    plan = db.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"), values).scalar_one()[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def vacuum(ledger: Ledger) -> None:
    with ledger.admin.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("VACUUM ledger.jobs"))
