"""A made-up ledger for pictures and for looking at pages: docs/demo_ledger.sql over a fresh database."""

from pathlib import Path

from sqlalchemy import Engine, text

from jobs.registry import load
from ledger.contract import publish

STATEMENTS = Path(__file__).with_suffix(".sql")


def beat(admin: Engine) -> None:
    """Have two of the three workers beat: the third has fallen silent."""
    with admin.begin() as db:
        db.execute(
            text(
                "UPDATE ledger.workers SET heartbeat_at = clock_timestamp() - interval '1 s' "
                "WHERE id IN (CAST(md5('worker0') AS uuid), CAST(md5('worker1') AS uuid))"
            )
        )


def fill(admin: Engine) -> None:
    """Fill a fresh ledger; the engine is a superuser's."""
    with admin.begin() as db:
        publish(db, load())
    with admin.begin() as db:
        db.exec_driver_sql(STATEMENTS.read_text(encoding="utf-8").replace("%", "%%"))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        while db.execute(text("SELECT ledger.count_pace_v1()")).scalar():
            pass
        db.execute(text("ANALYZE ledger.jobs, ledger.attempts"))
