"""The servers that both contestants use: PostgreSQL that keeps its promises (fsync on), and Valkey."""

import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import create_engine, text

from bench.entries import VARIABLE
from bench.kinds import registry
from ledger.contract import publish
from migrations.apply import migrate
from sandbox.postgres import Postgres
from sandbox.program import Program
from sandbox.redis import Redis

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "bench"
ROLES = ("nexara_worker", "nexara_web", "nexara_dashboard")
BUSINESS = text("INSERT INTO nexara.businesses (id, name, industry, country, zone) VALUES (:id, 'B', 'b', 'GB', 'UTC')")


class Servers:
    """A migrated database with one business in it, and an empty Valkey, for as long as the block lasts."""

    def __init__(self, binaries: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nexara-bench-"))
        self.postgres = Postgres(self.folder / "postgres", binaries=binaries, durable=True)
        self.redis = Redis(self.folder / "redis")
        self.business = uuid4()
        self.entries = self.folder / "entries"
        self._passwords = {role: secrets.token_hex(16) for role in ROLES}

    def __enter__(self) -> "Servers":
        self.postgres.start()
        self.redis.start()
        with psycopg.connect(self.postgres.admin_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
        migrate(self.admin_url, self._passwords)
        engine = create_engine(self.admin_url)
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
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def admin_url(self) -> str:
        """Return the superuser's URL of the database."""
        return self.postgres.url(DATABASE)

    def another_business(self) -> UUID:
        """Add a business and return its id."""
        business = uuid4()
        engine = create_engine(self.admin_url)
        with engine.begin() as db:
            db.execute(BUSINESS, {"id": business})
        engine.dispose()
        return business

    def version(self) -> str:
        """Return the version of PostgreSQL."""
        with psycopg.connect(self.postgres.admin_url.replace("+psycopg", "")) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        return str(row[0]) if row else "unknown"

    def url(self, role: str) -> str:
        """Return the URL of the database for a login role."""
        return self.postgres.url(DATABASE, role, self._passwords[role])

    def program(self, name: str, *command: str) -> Program:
        """Return a process of a contestant: `python -m` with the settings it needs, and nothing of this shell."""
        env = {
            **{key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ},
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": self.url("nexara_worker"),
            "WEB_DATABASE_URL": self.url("nexara_web"),
            "REDIS_URL": self.redis.url(),
            VARIABLE: str(self.entries),
        }
        argv = [sys.executable, "-m", *command]
        return Program(name, argv, env=env, log=self.folder / f"{name}.log", cwd=self.folder, grace=10)
