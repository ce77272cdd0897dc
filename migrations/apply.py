"""Bring a database to this release: revisions, guards of the data map, kinds of jobs, passwords of the roles."""

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql as pg
from sqlalchemy import Connection, create_engine, text

from jobs.registry import load
from ledger import limits
from ledger.contract import publish
from lifecycle.deadlines import Deadlines
from lifecycle.due import apply as apply_due
from migrations.sqlfile import run
from models.guards import apply as apply_guards
from providers.limits import LIMITS, WHY

ONE_AT_A_TIME = 7_316_001
"""Advisory lock: two deploys that migrate at once wait for each other."""
CHANCES = 20


def migrate(admin_url: str, passwords: Mapping[str, str] | None = None, deadlines: Deadlines | None = None) -> None:
    """Migrate the database; may be run any number of times, and while workers run.

    `passwords` are set for the login roles named in it; without `deadlines` those that the database knows stay. Waits
    at most 10 s for any lock: a reader in the way makes it fail and change nothing of that step, rather than make
    everybody wait behind it.
    """
    engine = create_engine(admin_url)
    try:
        with engine.connect() as db:
            db.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": ONE_AT_A_TIME})
            db.execute(text("SET lock_timeout = '10s'"))
            db.commit()
            # Roles belong to the server, not to the database: one that was restored elsewhere needs them again.
            _beside_others(db, lambda: run(db, "roles"))
            _upgrade(db)
            with db.begin():
                apply_due(db, deadlines)
                apply_guards(db)
            with db.begin():
                publish(db, load())
                limits.publish(db, LIMITS, WHY)
            _beside_others(db, lambda: _set_passwords(db, passwords or {}))
    finally:
        engine.dispose()


def _beside_others(db: Connection, change: Callable[[], None]) -> None:
    """Change what all databases of the server share, again if another one's migration changed it at that moment.

    No lock would help: advisory locks belong to one database.
    """
    for chance in range(CHANCES):
        try:
            with db.begin():
                change()
        except (psycopg.errors.InternalError_, psycopg.errors.UniqueViolation):
            if chance + 1 == CHANCES:
                raise
            time.sleep(random.uniform(0.05, 0.5))
        else:
            return


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
        driver.execute(statement)  # SQLAlchemy would double a percent sign
