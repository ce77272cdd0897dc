"""Who may call and read what of the ledger: every function and table with every role, written out and complete."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from tests.ledger.kinds import Paint

# tenant_job is what a job's transaction is; nexara_scribe owns the triggers that enqueue facts; nexara_house counts.
ROLES = (
    "nexara_owner",
    "nexara_house",
    "nexara_scribe",
    "tenant_job",
    "nexara_worker",
    "nexara_web",
    "nexara_dashboard",
)
NOBODY: set[str] = set()
WORKER = {"nexara_worker"}
ON_CALL = {"nexara_dashboard"}
CALLERS = {"nexara_owner", "tenant_job", "nexara_worker", "nexara_web", "nexara_dashboard"}
FUNCTIONS: dict[str, set[str]] = {
    "enqueue_job_v1": {
        "nexara_owner",
        "nexara_scribe",
        "tenant_job",
        "nexara_worker",
        "nexara_web",
        "nexara_dashboard",
    },
    "enqueue_jobs_v1": {"nexara_owner", "tenant_job", "nexara_worker", "nexara_web", "nexara_dashboard"},
    # What these ask of themselves.
    "business_for": NOBODY,
    "canonical_payload": NOBODY,
    "canonical_at": NOBODY,
    "insert_of": NOBODY,
    "is_instant": NOBODY,
    "key_of": {"nexara_house"},
    # The dispatcher and the workers.
    "promote_v1": WORKER,
    "waiting_v1": WORKER,
    "dispatch_v1": WORKER,
    "ring_again_v1": WORKER,
    "sleep_v1": WORKER,
    "threads_v1": WORKER,
    "in_flight": NOBODY,
    "claim_v1": WORKER,
    "disclaim_v1": WORKER,
    "refuse_v1": WORKER,
    "strange_kinds": NOBODY,
    "start_v1": WORKER,
    "start_at_once_v1": WORKER,
    "hold_v1": WORKER,
    "begin_load_v1": WORKER,
    "keep_answer_v1": WORKER,
    "finish_v1": WORKER,
    "begin_save_v1": WORKER,
    "complete_many_v1": WORKER,
    "complete_free_v1": WORKER,
    "fail_v1": WORKER,
    "end_v1": WORKER,
    "begin_end_v1": WORKER,
    "give_back_v1": WORKER,
    "heartbeat_v1": WORKER,
    "sign_off_v1": WORKER,
    "oldest_transaction_v1": WORKER | ON_CALL,
    "rescue_v1": WORKER,
    "snooze_v1": WORKER,
    "progress_v1": WORKER,
    "misconfigured_v1": WORKER,
    "settle_pauses_v1": WORKER,
    "count_pace_v1": WORKER,
    "is_paused": NOBODY,
    "resting_kinds": NOBODY,
    "park": NOBODY,
    "free": NOBODY,
    "block_vendor_v1": WORKER,
    "blocked_until": NOBODY,
    "burst": NOBODY,
    "flying": NOBODY,
    "keep_pace": NOBODY,
    "lock_limits": NOBODY,
    "queues_of": NOBODY,
    "room_in": NOBODY,
    "room_of": NOBODY,
    "vendors_of": NOBODY,
    "asked_kind": NOBODY,
    "knock": NOBODY,
    "taken_by_hand": NOBODY,
    "tick_v1": WORKER,
    "last_tick_v1": WORKER,
    "reopen": NOBODY,
    "record_attempt": NOBODY,
    "check_progress": NOBODY,
    # A job, of itself.
    "go_on_v1": {"tenant_job"},
    "prune_v1": {"tenant_job"},
    "end_api_keys": {"nexara_scribe"},
    "forget_answers_v1": {"tenant_job"},
    "forget_jobs_v1": {"tenant_job"},
    "forget_business_v1": {"tenant_job"},
    "jobs_naming": NOBODY,
    "operate_v1": {"tenant_job"},
    "job_scope": {"nexara_owner", "nexara_house", "nexara_scribe", "tenant_job", "nexara_web"},
    # On-call.
    "take_job_v1": ON_CALL,
    "retry_job_v1": ON_CALL,
    "discard_job_v1": ON_CALL,
    "cancel_job_v1": ON_CALL,
    "snooze_job_v1": ON_CALL,
    "run_now_v1": ON_CALL,
    "edit_job_v1": ON_CALL,
    "open_twin": NOBODY,
    "due_again": NOBODY,
    "mended": NOBODY,
    "create_operation_v1": ON_CALL,
    "cancel_operation_v1": ON_CALL,
    "operable": NOBODY,
    "hold_what_is_free": NOBODY,
    "left_out": NOBODY,
    "one_more": NOBODY,
    "all_of": NOBODY,
    "retry_all": NOBODY,
    "pause_v1": ON_CALL,
    "resume_v1": ON_CALL,
    "set_limit_v1": ON_CALL,
    "drop_limit_v1": ON_CALL,
    "unblock_vendor_v1": ON_CALL,
    # Batches: whoever enqueues, of his own business.
    "open_batch_v1": CALLERS,
    "add_to_batch_v1": CALLERS,
    "seal_batch_v1": CALLERS,
    "batch_v1": CALLERS,
    "my_batches_v1": {"tenant_job"},
    "settle_batches_v1": WORKER,
    "batch_named": NOBODY,
    "see_batch": NOBODY,
    "note_batch_end": NOBODY,
    "complete_batch": NOBODY,
    "follow_up": NOBODY,
    "audit_v1": ON_CALL,
    "audit_is_kept": NOBODY,
    # Operators, and their sessions.
    "operator_named": NOBODY,
    "refuse_the_last_admin": NOBODY,
    "check_role": NOBODY,
    "add_operator_v1": ON_CALL,
    "first_admin_v1": ON_CALL,
    "provided_operator_v1": ON_CALL,
    "set_operator_role_v1": ON_CALL,
    "set_operator_password_v1": ON_CALL,
    "disable_operator_v1": ON_CALL,
    "end_sessions_v1": ON_CALL,
    "list_operators_v1": ON_CALL,
    "sign_in_try_v1": ON_CALL,
    "password_of_v1": ON_CALL,
    "rehash_v1": ON_CALL,
    "begin_session_v1": ON_CALL,
    "session_v1": ON_CALL,
    "acting_v1": ON_CALL,
    "end_session_v1": ON_CALL,
    # The HTTP API, which the dashboard's process serves, and the keys to it.
    "api_business": NOBODY,
    "api_key_v1": ON_CALL,
    "api_enqueue_v1": ON_CALL,
    "api_job_v1": ON_CALL,
    "api_enqueue_batch_v1": ON_CALL,
    "api_batch_v1": ON_CALL,
    "create_api_key_v1": ON_CALL,
    "list_api_keys_v1": ON_CALL,
    "rotate_api_key_v1": ON_CALL,
    "revoke_api_key_v1": ON_CALL,
}
READABLE: dict[str, set[str]] = {
    "jobs": ON_CALL,
    "attempts": ON_CALL,
    "workers": ON_CALL,
    "ticks": ON_CALL,
    "pauses": ON_CALL,
    "limits": ON_CALL,
    "batches": ON_CALL,
    "batch_members": ON_CALL,
    "batch_follow_ups": ON_CALL,
    "audit": ON_CALL,
    "operations": ON_CALL,
    "operation_batches": NOBODY,
    "pace": ON_CALL,
    "pace_until": ON_CALL,
    "durations": ON_CALL,
    "job_kinds": ON_CALL | WORKER,
    "kept_answers": NOBODY,
    "api_keys": NOBODY,
    "operators": NOBODY,
    "sessions": NOBODY,
    "sign_in_tries": NOBODY,
    "idempotency_keys": NOBODY,
    "turns": NOBODY,
    "bell": NOBODY,
    "batch_ends": NOBODY,
}
WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
BECOMES = {"nexara_worker": {"tenant_job"}}
"""Whom a login role may become."""


@pytest.fixture
def stranger(ledger: Any) -> Iterator[str]:
    """Return a role that somebody else made on this server."""
    name = f"stranger_{uuid4().hex[:8]}"
    ledger.sql(f"CREATE ROLE {name} LOGIN")
    yield name
    ledger.sql(f"DROP ROLE {name}")


def test_each_function_is_called_by_whom_it_is_for(ledger: Any, stranger: str) -> None:
    with ledger.admin.begin() as db:
        found: dict[str, set[str]] = {}
        rows = db.execute(
            text(
                "SELECT p.proname, r AS role, has_function_privilege(r, p.oid, 'EXECUTE') AS may "
                "FROM pg_proc p, unnest(CAST(:roles AS text[])) r WHERE p.pronamespace = 'ledger'::regnamespace"
            ),
            {"roles": [*ROLES, stranger]},
        )
        for row in rows:
            found.setdefault(row.proname, set()).update({row.role} if row.may else set())
    assert found == FUNCTIONS


def test_a_function_s_next_version_comes_beside_the_one_that_old_code_still_calls() -> None:
    for name in FUNCTIONS:
        stem, _, version = name.rpartition("_v")
        if stem and version.isdecimal() and int(version) > 1:
            assert f"{stem}_v{int(version) - 1}" in FUNCTIONS, f"{name}: its forerunner goes one release later"


def test_each_table_is_read_by_whom_it_is_for_and_written_by_nobody(ledger: Any, stranger: str) -> None:
    with ledger.admin.begin() as db:
        found: dict[str, set[str]] = {}
        rows = db.execute(
            text(
                "SELECT c.relname, r AS role, has_table_privilege(r, c.oid, 'SELECT') AS reads, "
                "has_table_privilege(r, c.oid, :writes) "
                "OR has_any_column_privilege(r, c.oid, 'INSERT, UPDATE') AS writes "
                "FROM pg_class c, unnest(CAST(:roles AS text[])) r "
                "WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')"
            ),
            {"roles": [*ROLES, stranger], "writes": ", ".join(WRITES)},
        )
        for row in rows:
            assert not row.writes, row
            found.setdefault(row.relname, set()).update({row.role} if row.reads else set())
    assert found == READABLE


def test_nobody_moves_a_number_of_the_ledger(ledger: Any, stranger: str) -> None:
    with ledger.admin.begin() as db:
        rows = db.execute(
            text(
                "SELECT c.relname, r FROM pg_class c, unnest(CAST(:roles AS text[])) r "
                "WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind = 'S' "
                "AND has_sequence_privilege(r, c.oid, 'USAGE, UPDATE')"
            ),
            {"roles": [*ROLES, stranger]},
        ).all()
    assert rows == []


def test_every_function_of_the_ledger_says_where_it_looks_and_belongs_to_the_ledger(ledger: Any) -> None:
    strays = ledger.sql(
        "SELECT array_agg(p.proname) FROM pg_proc p WHERE p.pronamespace = 'ledger'::regnamespace "
        "AND (p.proowner <> 'nexara_ledger'::regrole "
        "OR NOT coalesce(p.proconfig, '{}') @> ARRAY['search_path=ledger, pg_temp'])"
    )
    assert strays is None


def refused(db: Connection, statement: str) -> str:
    """Return the SQLSTATE with which a statement is refused, empty if it is not."""
    try:
        with db.begin_nested():
            db.execute(text(statement))
    except DBAPIError as error:
        return str(getattr(error.orig, "sqlstate", ""))
    return ""


def test_a_job_that_resets_its_role_may_touch_nothing(ledger: Any) -> None:
    ledger.enqueue(Paint(wall_id=uuid4()))
    (held,) = ledger.claimed()
    known = {"id": held.id, "fence": held.fence}
    with ledger.admin.begin() as db:
        relations = db.execute(
            text(
                "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm') "
                "AND c.relnamespace IN ('nexara'::regnamespace, 'live'::regnamespace, 'ledger'::regnamespace)"
            )
        ).scalars()
        tables = sorted(set(relations) - {"ledger.job_kinds"})
    assert len(tables) > 80
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), known)
    with ledger.worker.connect() as db:
        for begin in ("SELECT ledger.begin_load_v1(:id, :fence)", "SELECT ledger.begin_save_v1(:id, :fence)"):
            with db.begin() as job:
                db.execute(text(begin), known)
                assert db.execute(text("SELECT nexara.scope()")).scalar() == ledger.business
                for reset in ("RESET ROLE", "SET ROLE NONE", "SET LOCAL ROLE NONE"):
                    db.execute(text(reset))
                    for table in tables:
                        assert refused(db, f"SELECT FROM {table} LIMIT 1") == "42501", table
                    assert refused(db, "SELECT nexara.scope()") == "42501"
                    db.execute(text("SET LOCAL ROLE tenant_job"))
                job.rollback()


@pytest.fixture
def logins(ledger: Any, database: Any) -> Iterator[dict[str, Engine]]:
    dashboard = create_engine(database.dashboard_url)
    yield {"nexara_worker": ledger.worker, "nexara_web": ledger.web, "nexara_dashboard": dashboard}
    dashboard.dispose()


def test_nobody_sets_himself_free(ledger: Any, logins: dict[str, Engine]) -> None:
    everybody = {*ROLES, "nexara_ledger", ledger.sql("SELECT current_user")}
    for login, engine in logins.items():
        with engine.connect() as db, db.begin() as attempt:
            for role in everybody - {login}:
                became = not refused(db, f"SET LOCAL ROLE {role}")
                assert became == (role in BECOMES.get(login, set())), (login, role)
                db.execute(text("SET LOCAL ROLE NONE"))
                assert refused(db, f"SET LOCAL SESSION AUTHORIZATION {role}") == "42501"
                assert refused(db, f"GRANT {role} TO {login}") in ("42501", "0LP01")
            for statement in (
                f"ALTER ROLE {login} SUPERUSER",
                f"ALTER ROLE {login} BYPASSRLS",
                "CREATE ROLE another LOGIN",
                "CREATE SCHEMA mine",
                "CREATE TABLE public.mine (id int)",
                "ALTER TABLE ledger.jobs DISABLE ROW LEVEL SECURITY",
                "CREATE POLICY open ON ledger.jobs USING (true)",
                "ALTER FUNCTION ledger.claim_v1 OWNER TO " + login,
                "SET LOCAL session_replication_role = replica",
            ):
                assert refused(db, statement) == "42501", (login, statement)
            attempt.rollback()


def test_a_job_becomes_no_other_role_than_the_one_it_logged_in_as(ledger: Any) -> None:
    ledger.enqueue(Paint(wall_id=uuid4()))
    (held,) = ledger.claimed()
    with ledger.worker.connect() as db, db.begin() as job:
        db.execute(text("SELECT ledger.begin_save_v1(:id, :fence)"), {"id": held.id, "fence": held.fence})
        for role in {*ROLES, "nexara_ledger"} - {"tenant_job", "nexara_worker"}:
            assert refused(db, f"SET LOCAL ROLE {role}") == "42501", role
        job.rollback()
