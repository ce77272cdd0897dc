"""A database with businesses to be ended, and a worker's loop in this process."""

import json
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import create_engine

from bench.ending.holds import Holds
from bench.ending.web import enqueuing
from bench.servers import Servers, plain
from jobs.registry import load
from ledger.claim import claim
from ledger.contract import publish
from ledger.dispatch import dispatch, promote, waiting
from ledger.run import Runner
from workers.wiring import engine as live_engine

HERE = Path(__file__).parent
ROOM = [50] * 4


class Place:
    """Where data ends; vendors are asked nothing."""

    def __init__(self, servers: Servers, quiet: float) -> None:
        self.admin = psycopg.connect(servers.admin_url, autocommit=True)
        self.holds = Holds()
        self._quiet = quiet
        self._web = plain(servers.url("nexara_web"))
        self._worker = live_engine(servers.url("nexara_worker"), 4)
        self.holds.watch(self._worker)
        self._registry = load()
        maker = create_engine(servers.postgres.url("bench"))
        with maker.begin() as db:
            publish(db, self._registry)
        maker.dispose()
        self._runner = Runner(self._registry, self._worker, None)
        self._me = uuid4()

    def fill(self, what: str, *tables: str, **sizes: int) -> UUID:
        """Make a business with so many rows by the statements of a file, the tables' indexes afterwards."""
        business = uuid4()
        told = (HERE / what).with_suffix(".sql").read_text(encoding="utf-8")
        for name, value in {**sizes, "business": str(business)}.items():
            told = told.replace(f"${{{name}}}", str(value))
        with self.admin.transaction():
            self.admin.execute("SET LOCAL session_replication_role = replica")
            with self._unindexed(tables):
                self.admin.execute(told)
        self.tidy()
        return business

    def empty(self) -> None:
        """Take every business away, and all that was counted."""
        self.admin.execute("TRUNCATE nexara.businesses, nexara.users, nexara.activity, nexara.activity_months CASCADE")

    def tidy(self) -> None:
        """Leave nothing to be done behind anybody's back."""
        self.admin.execute("VACUUM ANALYZE")
        self.admin.execute("CHECKPOINT")

    def one(self, statement: str, *given: Any) -> Any:
        """Return the one value that a statement asks for."""
        row = self.admin.execute(statement, given).fetchone()
        assert row is not None
        return row[0]

    def bare(self, *statements: str) -> tuple[int, float]:
        """Run statements that name the business themselves, take them back; return the rows and the seconds."""
        since = time.monotonic()
        with self.admin.transaction(force_rollback=True):
            rows = sum(self.admin.execute(each).rowcount for each in statements)
            took = time.monotonic() - since
        self.tidy()
        return rows, took

    def enqueue(self, kind: str, business: UUID, **payload: Any) -> None:
        """Enqueue a job."""
        told = json.dumps(payload, default=str)
        self.admin.execute("SELECT ledger.enqueue_job_v1(%s, %s, %s)", [kind, told, business])

    def drain(self, *kinds: str) -> float:
        """Run what is due of these kinds until nothing is; return the seconds."""
        queues = {job.payload.terms.queue for job in self._registry if job.kind in kinds}
        since = time.monotonic()
        while True:
            with self._worker.begin() as db:
                promote(db)
            tokens = []
            with self._worker.begin() as db:
                for queue in queues & waiting(db).keys():
                    tokens += [(job.id, job.fence) for job in dispatch(db, queue, ROOM)]
            with self._worker.begin() as db:
                jobs = claim(db, self._me, list(kinds), [], tokens)
            if not jobs:
                return time.monotonic() - since
            for job in jobs:
                ended = self._runner.run(job)
                if ended.failure is not None:
                    raise RuntimeError(f"{ended.kind} failed: {ended.failure}")

    def enqueuing(self, business: UUID) -> AbstractContextManager[list[float]]:
        """Have the web tier enqueue meanwhile."""
        return enqueuing(self._web, business)

    def alone(self, business: UUID) -> list[float]:
        """Return the milliseconds of the web tier's enqueues while nothing else happens."""
        with self.enqueuing(business) as took:
            time.sleep(self._quiet)
        return took

    @contextmanager
    def _unindexed(self, tables: tuple[str, ...]) -> Iterator[None]:
        """Write into tables without their indexes, which are then built at once: of millions, in seconds."""
        of_them = "indrelid = ANY (%s::regclass[])", [f"nexara.{each}" for each in tables]
        self.admin.execute("SET LOCAL allow_system_table_mods = on")
        self.admin.execute(
            f"UPDATE pg_index SET indisready = false, indisvalid = false WHERE {of_them[0]}", [of_them[1]]
        )
        yield
        for each in tables:
            self.admin.execute(f"REINDEX TABLE nexara.{each}")


def now() -> str:
    """Return this moment, as a payload takes it."""
    return datetime.now(UTC).isoformat()
