"""Migrating: as often as one likes, by several at once, while the engine runs, and with nothing changed by the way."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from jobs.registry import load
from migrations.apply import ONE_AT_A_TIME, migrate
from migrations.sqlfile import SQL, run
from sandbox.postgres import Postgres
from tests.conftest import Database

CATALOG = {
    "relations": """
        SELECT c.oid::text, c.oid::regclass::text, pg_get_userbyid(c.relowner), c.relacl::text, c.relrowsecurity,
               c.relforcerowsecurity, CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid) END
        FROM pg_class c WHERE c.relnamespace = ANY(:schemas)""",
    "columns": """
        SELECT a.attrelid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attacl::text
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = ANY(:schemas) AND a.attnum > 0""",
    "functions": """
        SELECT p.oid::text, p.oid::regprocedure::text, pg_get_userbyid(p.proowner), p.proacl::text, p.prosrc,
               p.prosecdef, p.proconfig::text
        FROM pg_proc p WHERE p.pronamespace = ANY(:schemas) OR p.proname IN ('enqueue_job_v1', 'enqueue_jobs_v1')""",
    "policies": """
        SELECT polrelid::regclass::text, polname, polcmd::text, polroles::regrole[]::text,
               pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) FROM pg_policy""",
    "triggers": "SELECT oid::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "schemas": """
        SELECT nspname::text, nspowner::regrole::text, array(SELECT right_::text FROM unnest(nspacl) right_ ORDER BY 1)
        FROM pg_namespace WHERE oid = ANY(:schemas)""",
    "rights to come": "SELECT defaclrole::regrole::text, defaclobjtype::text, defaclacl::text FROM pg_default_acl",
    "roles": """
        SELECT rolname::text, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolbypassrls,
               rolconfig::text FROM pg_roles""",
    "members": "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members",
    "kinds": "SELECT to_jsonb(k)::text FROM ledger.job_kinds k",
    "map": "SELECT to_jsonb(m)::text FROM nexara.data_map m",
    "revision": "SELECT version_num FROM nexara.alembic_version",
}


@contextmanager
def superuser(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    yield engine
    engine.dispose()


def catalog(url: str) -> dict[str, list[Any]]:
    """Return all that a migration may change, and what it must not: oids, owners, rights, definitions, rows."""
    with superuser(url) as engine, engine.connect() as db:
        named = "SELECT array_agg(oid) FROM pg_namespace WHERE nspname IN ('nexara', 'live', 'ledger')"
        schemas = db.execute(text(named)).scalar_one()
        seen = {}
        for what, statement in CATALOG.items():
            values = {"schemas": schemas} if ":schemas" in statement else {}
            seen[what] = sorted(map(repr, db.execute(text(statement), values)))
        assert all(seen.values()), "every question is answered"
        return seen


def migrating(url: str, passwords: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Migrate in a process of its own: alembic is not made for two in one."""
    return subprocess.Popen(
        [sys.executable, "-m", "nexara", "migrate"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SQL.parents[1]), "DATABASE_ADMIN_URL": url}
        | {f"{role.upper()}_PASSWORD": password for role, password in (passwords or {}).items()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def until_somebody_waits(db: Connection, count: int = 1) -> None:
    end = monotonic() + 30
    while db.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one() < count:
        assert monotonic() < end
        sleep(0.02)


def test_there_is_one_line_of_revisions() -> None:
    config = Config()
    config.set_main_option("script_location", str(SQL.parent))
    scripts = ScriptDirectory.from_config(config)
    assert len(scripts.get_heads()) == 1
    assert [revision.revision for revision in scripts.walk_revisions()][-1] == "0001"


def test_migrating_again_changes_nothing(database: Database, role_passwords: dict[str, str]) -> None:
    before = catalog(database.admin_url)
    migrate(database.admin_url, role_passwords)
    after = catalog(database.admin_url)
    for what, rows in before.items():
        assert after[what] == rows, what


def test_every_kind_of_this_release_is_known_and_one_that_is_no_more_stays(database: Database) -> None:
    with superuser(database.admin_url) as engine:
        with engine.begin() as db:
            db.execute(text("DELETE FROM ledger.job_kinds WHERE kind = 'usage.meter'"))
            db.execute(text("UPDATE ledger.job_kinds SET max_attempts = 99 WHERE kind = 'alerts.send'"))
            db.execute(
                text(
                    'INSERT INTO ledger.job_kinds SELECT (jsonb_populate_record(k, \'{"kind": "walls.old"}\')).*'
                    " FROM ledger.job_kinds k LIMIT 1"
                )
            )
        migrate(database.admin_url)
        with engine.connect() as db:
            kinds = {row[0]: row[1] for row in db.execute(text("SELECT kind, max_attempts FROM ledger.job_kinds"))}
    assert set(kinds) == {*load().kinds, "walls.old"}
    assert kinds["alerts.send"] == load()["alerts.send"].payload.terms.max_attempts


def test_two_that_migrate_one_database_wait_for_each_other(empty_database: str) -> None:
    with superuser(empty_database) as engine, engine.connect() as first:
        first.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": ONE_AT_A_TIME})
        two = [migrating(empty_database) for _ in range(2)]
        until_somebody_waits(first, 2)
        assert first.execute(text("SELECT to_regnamespace('nexara')")).scalar() is None
        first.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": ONE_AT_A_TIME})
        first.commit()
        assert [ended(each) for each in two] == [(0, "")] * 2
    assert catalog(empty_database)


def test_another_database_of_the_server_may_be_migrated_at_the_same_moment(
    postgres: Postgres, database: Database, role_passwords: dict[str, str]
) -> None:
    """PostgreSQL refuses the second of two that change one role, however long it waited for the first."""
    for changes in ("ALTER ROLE nexara_worker SET lock_timeout = '10s'", "ALTER ROLE nexara_web PASSWORD 'another'"):
        with superuser(postgres.url()) as engine, ThreadPoolExecutor(1) as ours, engine.connect() as theirs:
            theirs.execute(text(changes))
            migration = ours.submit(migrate, database.admin_url, role_passwords)
            until_somebody_waits(theirs)
            theirs.commit()
            migration.result(60)
    psycopg.connect(database.web_url.replace("+psycopg", "")).close()


def test_migrating_again_waits_for_nobody_who_reads_or_works(database: Database) -> None:
    with superuser(database.admin_url) as engine, engine.connect() as busy, ThreadPoolExecutor(1) as other:
        for table in ("live.calls", "live.people", "ledger.jobs", "ledger.job_kinds"):
            busy.execute(text(f"SELECT * FROM {table}"))
        busy.execute(text("INSERT INTO ledger.workers VALUES (gen_random_uuid(), 1, '{}', now(), now())"))
        again = other.submit(migrate, database.admin_url)
        try:
            again.result(9)  # less than it would wait for a lock
        finally:
            busy.rollback()


def test_a_reader_in_the_way_makes_it_fail_and_leaves_all_as_it_was(database: Database) -> None:
    with superuser(database.admin_url) as engine:
        with engine.begin() as db:
            db.execute(text("DROP POLICY tenancy ON nexara.calls"))
        before = catalog(database.admin_url)
        with engine.connect() as reader, ThreadPoolExecutor(1) as other:
            reader.execute(text("SELECT * FROM nexara.calls"))
            again = other.submit(migrate, database.admin_url)
            with pytest.raises(Exception, match="lock timeout"):
                again.result(30)
        assert catalog(database.admin_url) == before
        migrate(database.admin_url)
        with engine.connect() as db:
            back = db.execute(text("SELECT count(*) FROM pg_policy WHERE polrelid = 'nexara.calls'::regclass"))
            assert back.scalar_one() > 0


def test_what_the_roles_lost_comes_back(database: Database, role_passwords: dict[str, str]) -> None:
    """Roles belong to the server: one that a database was restored on may have others of that name, or none."""
    before = catalog(database.admin_url)
    with superuser(database.admin_url) as engine:
        with engine.begin() as db:
            db.execute(text("REVOKE tenant_job FROM nexara_worker"))
            db.execute(text("ALTER ROLE nexara_worker RESET ALL"))
            db.execute(text("ALTER ROLE nexara_worker PASSWORD NULL"))
            db.execute(text("REVOKE USAGE ON SCHEMA ledger FROM nexara_dashboard"))
        migrate(database.admin_url, role_passwords)
    assert catalog(database.admin_url) == before
    psycopg.connect(database.worker_url.replace("+psycopg", "")).close()


def test_the_roles_may_be_made_any_number_of_times(database: Database) -> None:
    before = catalog(database.admin_url)
    with superuser(database.admin_url) as engine:
        for _ in range(2):
            with engine.begin() as db:
                run(db, "roles")
    assert catalog(database.admin_url) == before


def test_no_role_may_pass_by_a_wall(database: Database) -> None:
    with superuser(database.admin_url) as engine, engine.connect() as db:
        roles = db.execute(
            text(
                "SELECT rolname, rolcanlogin, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles "
                "WHERE rolname LIKE 'nexara%' OR rolname = 'tenant_job'"
            )
        ).all()
        owners = db.execute(
            text("SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relkind = 'r' AND oid >= 16384")
        )
        owning = set(owners.scalars())
    assert not [role.rolname for role in roles if role[2]]
    assert not [role.rolname for role in roles if role.rolcanlogin and role.rolname in owning]
    assert {role.rolname for role in roles if role.rolcanlogin} == {
        "nexara_worker",
        "nexara_web",
        "nexara_dashboard",
    }


def test_a_password_with_anything_in_it_is_set_as_it_is(database: Database, role_passwords: dict[str, str]) -> None:
    odd = 'it\'s \\ a "$$" %s :word ü'
    migrate(database.admin_url, {"nexara_dashboard": odd})
    url = make_url(database.dashboard_url).set(password=odd)
    try:
        with superuser(url.render_as_string(hide_password=False)) as engine, engine.connect() as db:
            assert db.execute(text("SELECT current_user")).scalar() == "nexara_dashboard"
    finally:
        migrate(database.admin_url, role_passwords)
