"""The servers that all engines use: PostgreSQL that keeps its promises (fsync on), and Valkey."""

import os
import secrets
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from uuid import uuid4

import psycopg
from sqlalchemy import create_engine, text

from bench.kinds import registry
from ledger.contract import publish
from migrations.apply import migrate
from sandbox.postgres import Postgres
from sandbox.redis import Redis

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "bench"
ROLES = ("nexara_worker", "nexara_web", "nexara_dashboard")
BUSINESS = text("INSERT INTO nexara.businesses (id, name, industry, country, zone) VALUES (:id, 'B', 'b', 'GB', 'UTC')")
SETTINGS = {"max_wal_size": "8GB", "checkpoint_timeout": "30min"}
"""A checkpoint comes when the benchmark asks for one, not in the middle of somebody's turn."""


class Servers:
    """A migrated database with one business in it, and an empty Valkey, for as long as the block lasts."""

    def __init__(self, binaries: Path | None = None, *, keep: bool = False) -> None:
        self._keep = keep
        self.folder = Path(tempfile.mkdtemp(prefix="nexara-bench-"))
        self.postgres = Postgres(self.folder / "postgres", binaries=binaries, durable=True)
        self.redis = Redis(self.folder / "redis")
        self.business = str(uuid4())
        self._passwords = {role: secrets.token_hex(16) for role in ROLES}

    def __enter__(self) -> "Servers":
        self.postgres.start()
        self.redis.start()
        with psycopg.connect(plain(self.postgres.admin_url), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
            for setting, value in SETTINGS.items():
                connection.execute(f"ALTER SYSTEM SET {setting} = '{value}'")
            connection.execute("SELECT pg_reload_conf()")
        migrate(self.postgres.url(DATABASE), self._passwords)
        engine = create_engine(self.postgres.url(DATABASE))
        with engine.begin() as db:
            publish(db, registry(lambda _: None))
            db.execute(BUSINESS, {"id": self.business})
        engine.dispose()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.redis.stop()
        self.postgres.stop()
        if not self._keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def admin_url(self) -> str:
        """Return the superuser's URL of the database, as libpq takes it."""
        return plain(self.postgres.url(DATABASE))

    def url(self, role: str) -> str:
        """Return the URL of the database for a login role, as SQLAlchemy takes it."""
        return self.postgres.url(DATABASE, role, self._passwords[role])

    def environment(self, **settings: str) -> dict[str, str]:
        """Return what a process of a contestant needs to run at all, its settings, and nothing else of this shell."""
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
        return {**kept, "PYTHONPATH": str(ROOT), **settings}


def plain(url: str) -> str:
    """Return a URL as libpq takes it."""
    return url.replace("+psycopg", "")
