"""One engine of real processes against real servers, which a test may kill as it likes."""

import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from sandbox.child import Child, last_lines
from sandbox.postgres import Postgres
from sandbox.redis import Redis
from sandbox.stack import engine_environment
from tests.chaos.facts import Web
from tests.chaos.held import Hold, frozen
from tests.chaos.vendors import Vendors

WORKER_ID = re.compile(r"worker\.started  worker_id=([0-9a-f-]{36})")
PATIENCE = 40.0
"""Seconds, on a machine that runs other tests too."""


class Process:
    """One process of the engine."""

    def __init__(self, name: str, env: dict[str, str], folder: Path, module: Sequence[str] = ()) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        command = name.partition("-")[0]
        what = module or ("nexara", command)
        self._child = Child([sys.executable, "-m", *what], env=env, log=self.log, cwd=folder)
        self._started = f"{command}.started"

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def worker_id(self) -> UUID | None:
        """What a worker calls itself in the ledger; None before it has started."""
        found = WORKER_ID.search(self.said)
        return UUID(found[1]) if found else None

    def up(self) -> "Process":
        """Wait until it says that it has started."""
        until = time.monotonic() + PATIENCE
        while self._started not in self.said:
            assert self._child.alive(), f"{self.name} ended; it said:\n{last_lines(self.log)}"
            assert time.monotonic() < until, f"{self.name} did not start; it said:\n{last_lines(self.log)}"
            time.sleep(0.02)
        return self

    def kill(self) -> None:
        """Kill -9 it."""
        self._child.kill()

    def freeze(self) -> None:
        self._child.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._child.send(signal.SIGCONT)

    def alive(self) -> bool:
        return self._child.alive()

    def terminate(self, within: float) -> int | None:
        """Send SIGTERM; return its exit status, None if it still runs after so many seconds."""
        self._child.send(signal.SIGTERM)
        return self._child.wait(within)


class World:
    """The processes of one test, what the web tier writes for them, and what became of it."""

    def __init__(
        self,
        settings: dict[str, str],
        admin_url: str,
        servers: tuple[Postgres, Redis],
        web: Web,
        vendors: Vendors,
        folder: Path,
    ) -> None:
        self.web = web
        self.vendors = vendors
        self.postgres, self.redis_server = servers
        self.redis = redis.Redis.from_url(settings["REDIS_URL"], socket_timeout=5)
        self.processes: list[Process] = []
        self.settings = settings
        self.worker_url, self.dashboard_url = settings["DATABASE_URL"], settings["DASHBOARD_DATABASE_URL"]
        self.database = admin_url.rpartition("/")[2]
        self.admin_url = admin_url
        self.folder = folder
        self._engine = create_engine(admin_url, poolclass=NullPool)

    def worker(self, threads: int = 8, module: Sequence[str] = (), **settings: str) -> Process:
        """Start a worker; `module` runs other kinds of jobs than the product's."""
        return self._start("worker", module, WORKER_THREADS=str(threads), **settings)

    def dispatcher(self) -> Process:
        return self._start("dispatcher")

    def scheduler(self) -> Process:
        return self._start("scheduler")

    def dashboard(self, port: int) -> Process:
        return self._start("dashboard", DASHBOARD_PORT=str(port), DASHBOARD_PASSWORD="correct horse")

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """Run a statement as superuser."""
        with self._engine.begin() as db:
            result = db.execute(text(statement), values)
            return list(result) if result.returns_rows else []

    def value(self, statement: str, **values: Any) -> Any:
        return self.sql(statement, **values)[0][0]

    def hold(self, statement: str, *values: object) -> Hold:
        """Take locks as superuser, which keep a job where it is until they are released."""
        return Hold(self.admin_url, statement, *values).take()

    def queued(self, statement: str, *values: object) -> Hold:
        """Return what takes such locks later."""
        return Hold(self.admin_url, statement, *values)

    def frozen_redis(self) -> AbstractContextManager[None]:
        """Let Redis hang: connections stay open and nobody answers."""
        return frozen(self.redis_server.pid)

    def frozen_postgres(self) -> AbstractContextManager[None]:
        """Let the whole database server hang, as on a disk or a host that stalls."""
        backends = [row[0] for row in self.sql("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")]
        return frozen(self.postgres.pid, *backends)

    def until(self, what: Callable[[], object], why: str, within: float = PATIENCE) -> float:
        """Wait until something holds; return how many seconds it took. A server that is down makes it not hold."""
        since = time.monotonic()
        while True:
            try:
                if what():
                    return time.monotonic() - since
            except (DBAPIError, redis.RedisError):
                pass
            assert time.monotonic() - since < within, f"not within {within:g} s: {why}"
            time.sleep(0.02)

    def finish(self, within: float = PATIENCE) -> float:
        """Wait until every job has ended and every conversation was told of; return the seconds."""
        talks = len(self.web.talks)

        def ended() -> bool:
            told = self.value("SELECT count(DISTINCT conversation_id) FROM nexara.emails_sent")
            return bool(told == talks and not self.open_jobs())

        return self.until(ended, "all jobs ended", within)

    def open_jobs(self) -> list[Any]:
        """Return the jobs that have not ended."""
        return self.sql("SELECT * FROM ledger.jobs WHERE finished_at IS NULL ORDER BY id")

    def job(self, kind: str, subject: object) -> Any:
        """Return the newest job of a kind about a conversation or recording, None if there is none."""
        found = self.sql(
            "SELECT * FROM ledger.jobs WHERE kind = :kind AND :subject IN"
            " (payload ->> 'conversation_id', payload ->> 'recording_id') ORDER BY id DESC LIMIT 1",
            kind=kind,
            subject=str(subject),
        )
        return found[0] if found else None

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        self.redis.close()
        self._engine.dispose()

    def _start(self, command: str, module: Sequence[str] = (), **settings: str) -> Process:
        count = sum(process.name.startswith(command) for process in self.processes)
        env = engine_environment({**self.settings, **settings})
        process = Process(f"{command}-{count + 1}", env, self.folder, module)
        self.processes.append(process)
        return process
