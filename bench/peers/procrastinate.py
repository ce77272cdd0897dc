"""Procrastinate: async tasks, LISTEN/NOTIFY with polling behind it, finished jobs kept as it does by default."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import procrastinate
import psycopg
from procrastinate.schema import SchemaManager

from bench.peers.bodies import KINDS, AwaitedRows, awaiting
from bench.peers.clients import AsyncPut, Tasks
from bench.peers.peer import main
from bench.peers.place import Place

QUEUE = "bench"
BATCH = 1000
AT_ONCE = {"short": 2, "slots": 1}
"""Jobs at a time, for each thread of the others: tasks that wait for the database cost it no thread."""
DEFER = """
SELECT count(*) FROM (SELECT procrastinate_defer_jobs_v1(array_agg(ROW(
  'bench', %s, 0, NULL, NULL, jsonb_build_object('subject', gen_random_uuid(), 'business', %s::text), NULL
)::procrastinate_job_to_defer_v1)) FROM generate_series(1, %s)) deferred
"""
TABLES = "procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers, procrastinate_workers"


class Procrastinate:
    """Procrastinate over psycopg."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._runner = asyncio.Runner()
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=place.database))
        self.clients = Tasks(self._runner, self._client)
        self.ways: dict[str, Callable[[int], object]] = {
            "sql": lambda count: self._admin().execute(DEFER, ["nothing", place.business, count]),
            "python": lambda count: self._runner.run(self._many(count)),
        }

    def install(self) -> None:
        """Make its tables."""
        connector = procrastinate.SyncPsycopgConnector(conninfo=self._place.database)
        connector.open()
        SchemaManager(connector).apply_schema()
        connector.close()

    def forget(self) -> None:
        """Empty its tables."""
        self._admin().execute(f"TRUNCATE {TABLES} CASCADE")

    def tidy(self) -> None:
        """Vacuum them."""
        self._admin().execute("VACUUM (ANALYZE) procrastinate_jobs, procrastinate_events")
        self._admin().execute("CHECKPOINT")

    def load(self, kind: str, count: int) -> Callable[[], None]:
        """Defer by its SQL function, in a transaction that is committed when they are let go."""
        connection = psycopg.connect(self._place.database)
        connection.execute(DEFER, [kind, self._place.business, count])

        def go() -> None:
            connection.commit()
            connection.close()

        return go

    def done(self) -> bool:
        """Return whether no job is open."""
        row = self._admin().execute(
            "SELECT NOT EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'todo')"
            " AND NOT EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'doing')"
        )
        return bool((row.fetchone() or [False])[0])

    def work(self, threads: int, profile: str) -> None:
        """Work until told to stop."""
        self._runner.run(self._work(threads, profile))

    async def _work(self, threads: int, profile: str) -> None:
        connector = procrastinate.PsycopgConnector(conninfo=self._place.database, min_size=1, max_size=threads + 2)
        app = procrastinate.App(connector=connector)
        async with AwaitedRows(self._place.database, threads) as write, app.open_async():
            for kind, body in awaiting(self._place.entries, write).items():
                app.task(name=kind, queue=QUEUE)(body)
            self._place.say_ready()
            await app.run_worker_async(queues=[QUEUE], concurrency=threads * AT_ONCE[profile])

    async def _many(self, count: int) -> None:
        async with self._app.open_async():
            deferrer = self._app.configure_task("nothing", queue=QUEUE)
            for done in range(0, count, BATCH):
                jobs = [
                    {"subject": str(uuid4()), "business": self._place.business} for _ in range(min(BATCH, count - done))
                ]
                await deferrer.batch_defer_async(*jobs)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[AsyncPut]:
        # Each client has a pool of one connection: as many connections as clients, as for the others.
        connector = procrastinate.PsycopgConnector(conninfo=self._place.database, min_size=1, max_size=1)
        app = procrastinate.App(connector=connector)
        async with app.open_async():
            deferrers = {kind: app.configure_task(kind, queue=QUEUE) for kind in KINDS}

            async def put(kind: str, subject: str, business: str) -> None:
                await deferrers[kind].defer_async(subject=subject, business=business)

            yield put

    def _admin(self) -> "psycopg.Connection":
        if not hasattr(self, "_connection"):
            self._connection = psycopg.connect(self._place.database, autocommit=True)
        return self._connection


if __name__ == "__main__":
    main(Procrastinate)
