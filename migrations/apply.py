"""Bring a database to this release: revisions, guards of the data map, kinds of jobs, passwords of the roles."""

from collections.abc import Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from migrations.sqlfile import run
from models.guards import apply as apply_guards
from psycopg import sql as pg
from sqlalchemy import Connection, create_engine, text

from jobs.registry import load
from ledger.contract import publish
from lifecycle.due import apply as apply_due

ONE_AT_A_TIME = 7_316_001
"""Advisory lock: two deploys that migrate at once wait for each other."""


def migrate(admin_url: str, passwords: Mapping[str, str] | None = None) -> None:
    """Migrate the database; may be run any number of times, and while workers run.

    `passwords` are set for the login roles named in it. Waits at most 10 s for any lock: a reader in the way makes it
    fail and change nothing of that step, rather than make everybody wait behind it.
    """
    engine = create_engine(admin_url)
    try:
        with engine.connect() as db:
            db.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": ONE_AT_A_TIME})
            db.execute(text("SET lock_timeout = '10s'"))
            db.commit()
            with db.begin():
                # Roles belong to the server, not to the database: one that was restored elsewhere needs them again.
                run(db, "roles")
            _upgrade(db)
            with db.begin():
                apply_due(db)
                apply_guards(db)
            with db.begin():
                publish(db, load())
                _set_passwords(db, passwords or {})
    finally:
        engine.dispose()


def _upgrade(db: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).resolve().parent))
    config.attributes["connection"] = db
    command.upgrade(config, "head")
    db.commit()


def _set_passwords(db: Connection, passwords: Mapping[str, str]) -> None:
    driver = db.connection.driver_connection
    assert driver is not None  # noqa: S101 - a live connection has one
    for role, password in passwords.items():
        statement = pg.SQL("ALTER ROLE {} PASSWORD {}").format(pg.Identifier(role), pg.Literal(password))
        db.exec_driver_sql(statement.as_string(driver))
