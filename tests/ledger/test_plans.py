"""Each hot statement reads a handful of rows by an index, however many have finished and however old the statistics."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from ledger.claim import claim, complete_free, complete_many, disclaim, give_back, refuse
from ledger.dispatch import dispatch, promote, ring_again, settle_batches, settle_pauses, waiting
from ledger.operate import discard, retry
from ledger.watch import heartbeat, rescue
from tests.ledger.kinds import Count, Dry, Knock
from tests.ledger.test_rights import FUNCTIONS

# A day of succeeded jobs, and some of every open state: none of those reads may grow with the first number.
FINISHED = """
INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, unique_key, state, fence, attempt,
                         max_attempts, run_at, give_up_at, enqueued_at, claimed_at, started_at, finished_at)
SELECT 'walls.paint', 'walls', 2, :business, n, '{}', sha256(convert_to(n::text, 'UTF8')), 'succeeded', 3, 1, 8,
       now(), now() + interval '1 day', now(), now(), now(), now() - n * interval '1 s'
FROM generate_series(1, :rows) n
"""
OPEN = """
INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, until_done, state, fence, max_attempts,
                         run_at, give_up_at, dispatched_at, claimed_at, worker_id)
SELECT CASE WHEN n % 2 = 0 THEN 'walls.dry' ELSE 'walls.knock' END, 'walls', 2,
       CAST(lpad((n % 50)::text, 32, '0') AS uuid), n, '{}', false, :state, 1, 8,
       now() + :due * interval '1 h', now() + interval '1 day', now() - interval '1 min',
       CASE WHEN :state = 'running' THEN now() END, CASE WHEN :state = 'running' THEN CAST(:worker AS uuid) END
FROM generate_series(1, :rows) n
RETURNING id, fence
"""
HOUSE = UUID(int=0)
BATCHES = """
WITH opened AS (
  INSERT INTO ledger.batches (id, business_id, root_id, sealed_at, settled)
  VALUES (:batch, :business, 1, NULL, true), (gen_random_uuid(), :business, 1, now(), true)
  RETURNING id, sealed_at
), marked AS (
  UPDATE ledger.jobs SET in_batch = true WHERE id = ANY (:jobs) RETURNING id
)
INSERT INTO ledger.batch_members (job_id, batch_id)
SELECT marked.id, opened.id FROM marked, opened WHERE sealed_at IS NOT NULL
"""
ENDED_MEMBERS = """
INSERT INTO ledger.batch_members (job_id, batch_id, state)
SELECT 1000000000 + n, id, 'succeeded' FROM ledger.batches, generate_series(1, :rows) n WHERE sealed_at IS NOT NULL
"""
READ = text(
    "SELECT coalesce(sum(seq_scan), 0), coalesce(sum(idx_tup_fetch), 0), coalesce(sum(n_tup_hot_upd), 0) "
    "FROM pg_stat_xact_user_tables WHERE schemaname = 'ledger' AND relname = ANY (:tables)"
)
OF_BATCHES = ["batches", "batch_members", "batch_follow_ups", "batch_ends"]
JOBS, OTHERS = ["jobs"], ["attempts", "kept_answers", *OF_BATCHES]
AVAILABLE, DISPATCHED, RUNNING, LATER, DUE = 2000, 300, 100, 1000, 20
IN_FLIGHT = DISPATCHED + RUNNING


@dataclass
class Crowd:
    """A ledger in the middle of its day, and who asks it."""

    ledger: Any
    dashboard: Engine
    worker: UUID = field(default_factory=uuid4)
    dispatched: list[tuple[int, int]] = field(default_factory=list)
    running: list[tuple[int, int]] = field(default_factory=list)
    dead: int = 0
    twin: UUID = field(default_factory=uuid4)
    batch: UUID = field(default_factory=uuid4)
    members: list[tuple[int, int]] = field(default_factory=list)
    house: tuple[int, int] = (0, 0)

    def open(self, state: str, rows: int, due: int = 0) -> list[tuple[int, int]]:
        with self.ledger.admin.begin() as db:
            made = db.execute(text(OPEN), {"state": state, "rows": rows, "due": due, "worker": self.worker})
            return sorted((row.id, row.fence) for row in made)


Statement = Callable[[Connection, Crowd], Any]


def call(statement: str) -> Statement:
    """Call a function for a running job."""

    def run(db: Connection, crowd: Crowd) -> Any:
        job_id, fence = crowd.running[0]
        return db.execute(text(statement), {"id": job_id, "fence": fence}).scalar()

    return run


def claimed(db: Connection, crowd: Crowd) -> Any:
    kinds = crowd.ledger.registry.kinds
    assert len(claim(db, uuid4(), kinds, ["walls.knock"], crowd.dispatched[:32])) == 32


def completed(db: Connection, crowd: Crowd) -> Any:
    assert complete_many(db, crowd.running[:32])


def saved(db: Connection, crowd: Crowd) -> Any:
    """A job's whole life in one transaction: started, answered, saved with its scope asked, gone on."""
    job_id, fence = crowd.running[0]
    known = {"id": job_id, "fence": fence}
    db.execute(text("SELECT ledger.start_v1(:id, :fence)"), known)
    db.execute(text("SELECT ledger.keep_answer_v1(:id, 'a', '{}')"), known)
    db.execute(text("SELECT ledger.begin_save_v1(:id, :fence)"), known)
    assert db.execute(text("SELECT nexara.scope()")).scalar() is not None
    db.execute(text("""SELECT ledger.go_on_v1('{"done": "x"}')"""))


def loaded(db: Connection, crowd: Crowd) -> Any:
    """A started job is read by its tenant."""
    job_id, fence = crowd.running[0]
    db.execute(text("UPDATE ledger.jobs SET started_at = now() WHERE id = :id"), {"id": job_id})
    db.execute(text("SET LOCAL ROLE nexara_worker"))
    assert db.execute(text("SELECT ledger.begin_load_v1(:id, :fence)"), {"id": job_id, "fence": fence}).scalar() == {}
    assert db.execute(text("SELECT nexara.scope()")).scalar() is not None


def pruned(days: int) -> Statement:
    """A job of the house ends what was too old so many days from now, a hundred rows of each table at most."""

    def run(db: Connection, crowd: Crowd) -> Any:
        house = {"id": crowd.house[0], "fence": crowd.house[1]}
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), house)
        db.execute(text("SELECT ledger.begin_save_v1(:id, :fence)"), house)
        prune = text("SELECT ledger.prune_v1(now() + :days * interval '1 day', 100)")
        assert (db.execute(prune, {"days": days}).scalar() > 0) == bool(days)

    return run


def ticked(db: Connection, crowd: Crowd) -> Any:
    values = {"tick": str(uuid4()), "wall": str(uuid4())}
    payload = "jsonb_build_object('wall_id', CAST(:wall AS text))"
    statement = f"SELECT ledger.tick_v1('x', :tick, now(), 'walls.dry', {payload}, true)"
    assert db.execute(text(statement), values).scalar()


def added(db: Connection, crowd: Crowd) -> Any:
    values = {"batch": crowd.batch, "jobs": [job_id for job_id, _ in crowd.dispatched[:32]]}
    assert db.execute(text("SELECT ledger.add_to_batch_v1(:batch, :jobs)"), values).scalar() == 32


def settled(db: Connection, crowd: Crowd) -> Any:
    """Eight jobs of a batch of many end, are taken up, and their batch is looked at."""
    assert complete_many(db, crowd.members)
    assert settle_batches(db) == len(crowd.members)


def enqueued(payload: Any) -> Statement:
    def run(db: Connection, crowd: Crowd) -> Any:
        made = payload(wall_id=crowd.twin)
        statement = text("SELECT ledger.enqueue_job_v1(:kind, CAST(:payload AS jsonb), :business)")
        values = {"kind": made.kind, "payload": made.model_dump_json(), "business": crowd.ledger.business}
        assert db.execute(statement, values).scalar()

    return run


def enqueued_many(db: Connection, crowd: Crowd) -> Any:
    """Two new jobs, and one that is there already."""
    payloads = [Count(wall_id=wall).model_dump_json() for wall in (crowd.twin, uuid4(), uuid4())]
    statement = text("SELECT count(*) FROM ledger.enqueue_jobs_v1(:kind, CAST(:payloads AS jsonb[]), :business)")
    values = {"kind": Count.kind, "payloads": payloads, "business": crowd.ledger.business}
    assert db.execute(statement, values).scalar() == 3


FAIL = "SELECT ledger.fail_v1(:id, :fence, '{\"outcome\": \"bug\"}', 'retryable', interval '1 min', 'bug', true)"
END = "SELECT ledger.begin_end_v1(:id, :fence, 'dead', 'gave_up', '{\"outcome\": \"gave_up\"}')"

# The role, the statement, and the most rows of ledger.jobs that it may fetch.
HOT: dict[str, tuple[str, Statement, int]] = {
    "promote": ("worker", lambda db, _: promote(db), 3 * DUE),
    "waiting": ("worker", lambda db, _: waiting(db), 5),
    "dispatch": ("worker", lambda db, _: dispatch(db, "walls", [100] * 4), 2 * 100 + 64 + 10),
    "ring_again": ("worker", lambda db, _: ring_again(db, "walls", 2, None), 3 * IN_FLIGHT),
    "ring_again_head": ("worker", lambda db, c: ring_again(db, "walls", 2, c.dispatched[0][0]), 3 * IN_FLIGHT),
    "claim": ("worker", claimed, 3 * 32),
    "complete": ("worker", completed, 2 * 32),
    "start": ("worker", call("SELECT ledger.start_v1(:id, :fence)"), 3),
    "load": ("admin", loaded, 6),
    "progress": ("worker", call("SELECT ledger.progress_v1(:id, :fence, 7, 'counting')"), 3),
    "snooze": ("worker", call("SELECT ledger.snooze_v1(:id, :fence, now() + interval '1 h')"), 6),
    "finish": ("worker", call("SELECT ledger.finish_v1(:id, :fence)"), 3),
    "life": ("worker", saved, 12),
    "fail": ("worker", call(FAIL), 6),
    "end": ("worker", call(END), 6),
    "disclaim": ("worker", lambda db, c: disclaim(db, c.worker, [(i, fence - 1) for i, fence in c.running[:8]]), 4 * 8),
    "refuse": ("worker", lambda db, c: refuse(db, ["walls.knock"], c.dispatched[:32]), 4 * 32),
    "complete_free": ("worker", lambda db, c: complete_free(db, c.running[:32]), 5 * 32),
    "prune": ("worker", pruned(31), 4 * 100 + 10),
    "prune_nothing": ("worker", pruned(0), 10),
    "tick": ("worker", ticked, 3),
    "give_back": ("worker", lambda db, c: give_back(db, c.running[:8]), 3 * 8),
    "add_to_batch": ("worker", added, 5 * 32),
    "settle_batches": ("worker", settled, 3 * 8),
    "settle_no_batch": ("worker", lambda db, _: settle_batches(db), 0),
    "settle_pauses": ("worker", lambda db, _: settle_pauses(db), 0),
    "rescue": ("worker", lambda db, c: rescue(db, c.ledger.window), 6 * RUNNING),
    "heartbeat": ("worker", lambda db, c: heartbeat(db, c.worker, 8, []), RUNNING),
    "enqueue": ("web", enqueued(Knock), 0),
    "enqueue_many": ("web", enqueued_many, 4),
    "enqueue_twin": ("web", enqueued(Count), 4),
    "retry": ("dashboard", lambda db, c: retry(db, c.dead), 6),
    "discard": ("dashboard", lambda db, c: discard(db, c.dead), 6),
}


MEASURED = {
    "enqueue_job_v1": "enqueue enqueue_twin",
    "enqueue_jobs_v1": "enqueue_many",
    "promote_v1": "promote",
    "waiting_v1": "waiting",
    "dispatch_v1": "dispatch",
    "ring_again_v1": "ring_again ring_again_head",
    "claim_v1": "claim",
    "disclaim_v1": "disclaim",
    "refuse_v1": "refuse",
    "start_v1": "start",
    "start_at_once_v1": "start",
    "hold_v1": "load",
    "begin_load_v1": "load",
    "job_scope": "load life",
    "keep_answer_v1": "life",
    "begin_save_v1": "life",
    "go_on_v1": "life",
    "finish_v1": "finish",
    "complete_many_v1": "complete",
    "complete_free_v1": "complete_free",
    "fail_v1": "fail",
    "end_v1": "end",
    "begin_end_v1": "end",
    "give_back_v1": "give_back",
    "snooze_v1": "snooze",
    "progress_v1": "progress",
    "heartbeat_v1": "heartbeat",
    "rescue_v1": "rescue",
    "settle_pauses_v1": "settle_pauses",
    "settle_batches_v1": "settle_batches settle_no_batch",
    "add_to_batch_v1": "add_to_batch",
    "prune_v1": "prune prune_nothing",
    "tick_v1": "tick",
}
SELDOM = {
    "sleep_v1": "one row",
    "threads_v1": "a row a worker",
    "sign_off_v1": "once a process",
    "misconfigured_v1": "a pause, which is a row",
    "last_tick_v1": "some hundred rows, once a minute",
    "block_vendor_v1": "a row a vendor",
    "count_pace_v1": "once a minute, what ended in one",
    "operate_v1": "by hand, a part of what an operator chose",
    "forget_jobs_v1": "once an erasure, one reading of the whole table: test_forget.py",
    "forget_answers_v1": "once a batch of an erasure: as forget_jobs_v1",
    "forget_business_v1": "once a business, by the business",
    **dict.fromkeys(("open_batch_v1", "seal_batch_v1", "batch_v1", "my_batches_v1"), "by the id of a batch"),
    "oldest_transaction_v1": "by hand, and with the overview; it reads no table",
}
"""Functions of workers and the web tier that are measured nowhere, and why that is no loss."""


@pytest.fixture
def crowd(ledger: Any, database: Any) -> Iterator[Crowd]:
    dashboard = create_engine(database.dashboard_url)
    # The statistics are as old as the test wants them.
    ledger.sql("ALTER TABLE ledger.jobs SET (autovacuum_enabled = false)")
    ledger.window = rescue_window(ledger)
    crowd = Crowd(ledger, dashboard)
    heartbeat_of_a_silent_worker(crowd)
    crowd.dispatched = crowd.open("dispatched", 40)
    crowd.running = crowd.open("running", 40 - 10)
    crowd.dead = ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.sql("UPDATE ledger.jobs SET state = 'dead', finished_at = now() WHERE id = :id", id=crowd.dead)
    ledger.enqueue(Count(wall_id=crowd.twin))
    (crowd.house,) = crowd.open("running", 1)
    crowd.running = [token for token in crowd.running if token != crowd.house]
    ledger.sql("UPDATE ledger.jobs SET business_id = :house WHERE id = :id", house=HOUSE, id=crowd.house[0])
    filled = crowd.open("running", 9)
    crowd.members = filled[:8]
    with ledger.admin.begin() as db:
        db.execute(text(BATCHES), {"batch": crowd.batch, "business": HOUSE, "jobs": [job_id for job_id, _ in filled]})
    yield crowd
    dashboard.dispose()


def heartbeat_of_a_silent_worker(crowd: Crowd) -> None:
    with crowd.ledger.worker.begin() as db:
        heartbeat(db, crowd.worker, 8, [])
    crowd.ledger.sql("UPDATE ledger.workers SET heartbeat_at = now() - interval '1 day'")


def rescue_window(ledger: Any) -> Any:
    """The longest stale window that this server is old enough for."""
    return ledger.sql("SELECT least(interval '6 s', clock_timestamp() - pg_postmaster_start_time() - interval '10 ms')")


def grow(crowd: Crowd, rows: int) -> None:
    with crowd.ledger.admin.begin() as db:
        db.execute(text(FINISHED), {"rows": rows, "business": crowd.ledger.business})
        db.execute(text(ENDED_MEMBERS), {"rows": rows // 2})
    crowd.open("available", AVAILABLE)
    crowd.open("scheduled", LATER, due=1)
    crowd.open("retryable", DUE)
    crowd.dispatched = crowd.open("dispatched", DISPATCHED - 40)
    crowd.running = crowd.open("running", RUNNING - 40)


def counted(db: Connection, crowd: Crowd, statement: Statement) -> tuple[int, int, int]:
    """Return what a statement did: full reads of large tables, rows of jobs fetched by an index, updates in place."""
    before = db.execute(READ, {"tables": JOBS}).one()
    others = db.execute(READ, {"tables": OTHERS}).one()
    statement(db, crowd)
    after = db.execute(READ, {"tables": JOBS}).one()
    scans = after[0] - before[0] + db.execute(READ, {"tables": OTHERS}).one()[0] - others[0]
    return scans, after[1] - before[1], after[2] - before[2]


MEMBERS_READ = text(
    "SELECT coalesce(sum(idx_tup_fetch), 0), coalesce(sum(idx_scan + seq_scan + n_tup_ins + n_tup_upd), 0) "
    "FROM pg_stat_xact_user_tables WHERE schemaname = 'ledger' AND relname = ANY (:tables)"
)


def test_a_batch_of_many_that_ended_is_looked_at_by_those_that_did_not(crowd: Crowd) -> None:
    with crowd.ledger.admin.begin() as db:
        db.execute(text(ENDED_MEMBERS), {"rows": 50_000})
    with crowd.ledger.worker.connect() as db:
        for _ in range(7):
            with db.begin() as asked:
                before = db.execute(MEMBERS_READ, {"tables": ["batch_members"]}).one()[0]
                settled(db, crowd)
                read = db.execute(MEMBERS_READ, {"tables": ["batch_members"]}).one()[0] - before
                assert read <= 2 * len(crowd.members)
                asked.rollback()


@pytest.mark.parametrize("way", ["complete", "finish", "end", "fail", "give_back", "claim", "start"])
def test_a_job_of_no_batch_reads_and_writes_nothing_of_batches(crowd: Crowd, way: str) -> None:
    with crowd.ledger.worker.connect() as db, db.begin() as asked:
        before = db.execute(MEMBERS_READ, {"tables": OF_BATCHES}).one()
        HOT[way][1](db, crowd)
        assert db.execute(MEMBERS_READ, {"tables": OF_BATCHES}).one() == before
        asked.rollback()


def costs(crowd: Crowd, connections: dict[str, Connection]) -> dict[str, tuple[int, int]]:
    found = {}
    for name, (role, statement, _) in HOT.items():
        with connections[role].begin() as asked:
            scans, rows, _ = counted(connections[role], crowd, statement)
            asked.rollback()
        found[name] = (scans, rows)
    return found


def too_much(found: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    return {name: cost for name, cost in found.items() if cost[0] or cost[1] > HOT[name][2]}


@pytest.mark.parametrize(
    "rows", [200_000, pytest.param(1_000_000, marks=[pytest.mark.chaos, pytest.mark.timeout(600)])]
)
def test_no_hot_statement_reads_what_has_finished(crowd: Crowd, rows: int) -> None:
    ledger = crowd.ledger
    engines = {"worker": ledger.worker, "web": ledger.web, "dashboard": crowd.dashboard, "admin": ledger.admin}
    crowd.ledger.sql("ANALYZE ledger.jobs")
    old = {role: engine.connect() for role, engine in engines.items()}
    for _ in range(8):  # from the sixth call on a plan may be kept, made for a table of two pages
        costs(crowd, old)
    grow(crowd, rows)
    found = {"plans made while the table was small": too_much(costs(crowd, old))}
    for connection in old.values():
        connection.invalidate()
        connection.close()
    for statistics in ("of a small table", "of now"):
        if statistics == "of now":
            crowd.ledger.sql("ANALYZE ledger.jobs")
        new = {role: engine.connect() for role, engine in engines.items()}
        found[f"statistics {statistics}"] = too_much(costs(crowd, new))
        for connection in new.values():
            connection.close()
    assert found == {when: {} for when in found}


def test_every_function_that_is_called_all_the_time_is_measured_here() -> None:
    called = {name for name, who in FUNCTIONS.items() if who & {"nexara_worker", "tenant_job", "nexara_web"}}
    assert called - set(MEASURED) == set(SELDOM)
    assert {name for measured in MEASURED.values() for name in measured.split()} <= set(HOT)


def test_limits_are_counted_over_what_is_in_flight_and_nothing_else(crowd: Crowd) -> None:
    crowd.ledger.sql(
        "INSERT INTO ledger.limits (subject, name, most, calls, per, who, why) VALUES"
        " ('queue', 'walls', 5000, 100000, interval '1 s', 'ada', 'x'),"
        " ('business', 'each', 50, NULL, NULL, 'ada', 'x')"
    )
    grow(crowd, 50_000)
    with crowd.ledger.worker.begin() as db:
        for _ in range(8):  # as above: a plan that is kept
            asked = db.begin_nested()
            scans, rows, _ = counted(db, crowd, lambda db, _: dispatch(db, "walls", [100] * 4))
            asked.rollback()
    assert scans == 0
    # All in flight, those of them that wait, and those of each of the fifty businesses; then what was picked, as above.
    assert rows <= 4 * IN_FLIGHT + 2 * 100 + 64 + 10


def test_the_start_stamp_and_a_ring_stay_on_their_page(crowd: Crowd) -> None:
    with crowd.ledger.worker.connect() as db:
        for statement in (HOT["start"][1], HOT["ring_again"][1]):
            with db.begin() as asked:
                assert counted(db, crowd, statement)[2] > 0
                asked.rollback()


def test_a_pick_reads_no_more_for_the_many_jobs_that_were_picked_before(crowd: Crowd) -> None:
    """One business has them all: then an order by id alone looks as good to the planner, and reads all that is gone."""
    crowd.ledger.sql(
        """
        INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, max_attempts, give_up_at)
        SELECT 'walls.dry', 'walls', 2, :business, n, '{}', CASE WHEN n > 4500 THEN 'available' ELSE 'running' END, 8,
               now() + interval '1 day'
        FROM generate_series(1, 5000) n
        """,
        business=crowd.ledger.business,
    )
    crowd.ledger.sql("ANALYZE ledger.jobs")
    with crowd.ledger.worker.connect() as db:
        for _ in range(7):
            with db.begin():
                scans, rows, _ = counted(db, crowd, lambda db, _: dispatch(db, "walls", [0, 0, 50, 0]))
            assert (scans, rows <= 3 * 50) == (0, True), rows
