"""PgQueuer: asyncpg and uvloop, its recommended autovacuum settings, durable tables, LISTEN/NOTIFY with polling."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from bench.peers.bodies import WRITE, awaiting
from bench.peers.clients import AsyncPut, Tasks
from bench.peers.peer import SHORT, main
from bench.peers.place import Place

BATCH = 250
"""Jobs a dequeue: its docs say to raise it from 10 for short jobs; more gained nothing."""
POLL = timedelta(seconds=10)
CHUNK = 5000


class PgQueuerPeer:
    """PgQueuer over asyncpg."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._connection: asyncpg.Connection | None = None
        self.clients = Tasks(self._runner, self._client)
        self.ways = {"python": lambda count: self._run(self._many(count))}

    def install(self) -> None:
        """Make its tables."""

        async def install() -> None:
            queries = Queries(AsyncpgDriver(await self._admin()))
            await queries.install()
            await queries.optimize_autovacuum()

        self._run(install())

    def forget(self) -> None:
        """Empty its tables."""
        self._execute("TRUNCATE pgqueuer, pgqueuer_log, pgqueuer_statistics")

    def tidy(self) -> None:
        """Vacuum them."""
        self._execute("VACUUM (ANALYZE) pgqueuer, pgqueuer_log")
        self._execute("CHECKPOINT")

    def load(self, kind: str, count: int) -> Callable[[], object]:
        """Enqueue in a transaction that is committed when they are let go."""

        async def load() -> Callable[[], object]:
            connection = await asyncpg.connect(self._place.database)
            transaction = connection.transaction()
            await transaction.start()
            await self._enqueue(connection, kind, count)

            async def go() -> None:
                await transaction.commit()
                await connection.close()

            return lambda: self._run(go())

        return self._runner.run(load())

    def done(self) -> bool:
        """Return whether its queue is empty: finished jobs leave it for its log."""
        return not self._run(self._ask("SELECT EXISTS (SELECT FROM pgqueuer)"))

    def work(self, threads: int, profile: str) -> None:
        """Work until told to stop."""
        self._run(self._work(threads, profile))

    async def _work(self, threads: int, profile: str) -> None:
        pool = await asyncpg.create_pool(self._place.database, min_size=threads, max_size=threads)

        async def write(business: str) -> None:
            await pool.execute(WRITE.replace("%s", "$1"), business)

        queuer = PgQueuer(AsyncpgDriver(await asyncpg.connect(self._place.database)))
        for kind, body in awaiting(self._place.entries, write).items():
            queuer.entrypoint(kind)(self._named(body))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, queuer.shutdown.set)
        self._place.say_ready()
        if profile == SHORT:
            await queuer.run(batch_size=BATCH, dequeue_timeout=POLL)
        else:
            await queuer.run(batch_size=threads // 2, max_concurrent_tasks=threads, dequeue_timeout=POLL)

    def _named(self, body: Callable[[str, str], Awaitable[None]]) -> Callable[[Job], Awaitable[None]]:
        async def entrypoint(job: Job) -> None:
            given = json.loads(job.payload or b"{}")
            await body(given["subject"], given["business"])

        return entrypoint

    async def _enqueue(self, connection: asyncpg.Connection, kind: str, count: int) -> None:
        queries = Queries(AsyncpgDriver(connection))
        for done in range(0, count, CHUNK):
            size = min(CHUNK, count - done)
            payloads = [payload(str(uuid4()), self._place.business) for _ in range(size)]
            await queries.enqueue([kind] * size, payloads, [0] * size)

    async def _many(self, count: int) -> None:
        await self._enqueue(await self._admin(), "nothing", count)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[AsyncPut]:
        connection = await asyncpg.connect(self._place.database)
        queries = Queries(AsyncpgDriver(connection))
        try:
            yield lambda kind, subject, business: queries.enqueue(kind, payload(subject, business))
        finally:
            await connection.close()

    async def _admin(self) -> asyncpg.Connection:
        if self._connection is None:
            self._connection = await asyncpg.connect(self._place.database)
        return self._connection

    async def _ask(self, question: str) -> Any:
        return await (await self._admin()).fetchval(question)

    def _execute(self, statement: str) -> None:
        async def execute() -> None:
            await (await self._admin()).execute(statement)

        self._run(execute())

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)


def payload(subject: str, business: str) -> bytes:
    """Return what a job is given: it takes bytes."""
    return json.dumps({"subject": subject, "business": business}).encode()


if __name__ == "__main__":
    main(PgQueuerPeer)
