"""A made-up ledger for pictures and for looking at pages: docs/demo_ledger.sql over a fresh database."""

from pathlib import Path

from sqlalchemy import Engine, text

from jobs.registry import load
from ledger.contract import publish

STATEMENTS = Path(__file__).with_suffix(".sql")


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
