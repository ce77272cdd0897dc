"""awa: its queue storage, async handlers over a Rust core, COPY for bulk."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import awa
import psycopg
from psycopg import sql

from bench.peers.bodies import AwaitedRows, awaiting
from bench.peers.clients import AsyncPut, Tasks
from bench.peers.peer import SHORT, main
from bench.peers.place import Place

QUEUE = "bench"
AT_ONCE = 64
"""Jobs at a time of a process that has many short ones; its default is 50."""
CONNECTIONS = 20
AS_ITS_OWN = {
    "poll_interval_ms": 50,
    "heartbeat_interval_ms": 5_000,
    "heartbeat_rescue_interval_ms": 5_000,
    "heartbeat_staleness_ms": 15_000,
}
"""As its author's own benchmark has it; by default a worker is given up after 90 s."""
LANES = "SELECT DISTINCT seq_name FROM awa.queue_enqueue_heads"
ENDED = """
SELECT (SELECT coalesce(sum(completed_count), 0) FROM awa.receipt_completion_batches)
     + (SELECT count(*) FROM awa.done_entries)
     + (SELECT coalesce(sum(pruned_completed_count + pruned_failed_count), 0) FROM awa.queue_terminal_rollups)
"""
"""Its own count of what is left is exact, and over 60,000 jobs it did not answer within a minute."""


@dataclass
class Given:
    """What a job is given."""

    subject: str
    business: str


class Awa:
    """awa-pg."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._runner = asyncio.Runner()
        self._client_of: dict[int, Any] = {}
        self._admin: psycopg.Connection | None = None
        self._lost = 0
        self.clients = Tasks(self._runner, self._opened)
        self.ways = {"copy": lambda count: self._run(self._copy("nothing", self._jobs(count)))}

    def install(self) -> None:
        """Make its tables."""

        async def install() -> None:
            client = self._client(4)
            await client.migrate()
            await client.install_queue_storage()

        self._run(install())

    def forget(self) -> None:
        """Make its tables anew, if a job is left: it has hundreds, and that takes seconds."""

        async def forget() -> None:
            await self._client(4).install_queue_storage(reset=True)

        if not self.done():
            self._run(forget())
            self._lost = self._open()

    def tidy(self) -> None:
        """Nothing: its storage is appended to and turned over by itself."""

    def load(self, kind: str, count: int) -> Callable[[], None]:
        """Prepare the jobs; they are copied in one transaction, which is what lets them go."""
        jobs = self._jobs(count)
        return lambda: self._run(self._copy(kind, jobs))

    def done(self) -> bool:
        """Return whether no job is open: each lane's sequence says how many came, what ended is counted in batches."""
        return self._open() <= self._lost

    def _open(self) -> int:
        if self._admin is None:
            self._admin = psycopg.connect(self._place.database, autocommit=True)
        came = 0
        for (lane,) in self._admin.execute(LANES).fetchall():
            told = sql.SQL("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM awa.{}")
            row = self._admin.execute(told.format(sql.Identifier(lane))).fetchone()
            came += int(row[0]) if row else 0
        row = self._admin.execute(ENDED).fetchone()
        return came - int(row[0] if row else 0)

    def work(self, threads: int, profile: str) -> None:
        """Work until told to stop."""
        self._run(self._work(threads, profile))

    async def _work(self, threads: int, profile: str) -> None:
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
        client = awa.AsyncClient(self._place.database, max_connections=CONNECTIONS)
        async with AwaitedRows(self._place.database, threads) as write:
            for kind, body in awaiting(self._place.entries, write).items():
                client.task(Given, kind=kind, queue=QUEUE)(named(body))
            await client.start([(QUEUE, AT_ONCE if profile == SHORT else threads)], **AS_ITS_OWN)
            self._place.say_ready()
            await stopping.wait()
            await client.shutdown()
            await client.close()

    def _jobs(self, count: int) -> list[Given]:
        return [Given(str(uuid4()), self._place.business) for _ in range(count)]

    async def _copy(self, kind: str, jobs: list[Given]) -> None:
        await self._client(4).enqueue_many_copy(jobs, kind=kind, queue=QUEUE)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[AsyncPut]:
        client = awa.AsyncClient(self._place.database, max_connections=1)

        async def put(kind: str, subject: str, business: str) -> None:
            await client.insert(Given(subject, business), kind=kind, queue=QUEUE)

        try:
            yield put
        finally:
            await client.close()

    def _client(self, connections: int) -> Any:
        if connections not in self._client_of:
            self._client_of[connections] = awa.AsyncClient(self._place.database, max_connections=connections)
        return self._client_of[connections]

    def _run(self, work: Any) -> Any:
        return self._runner.run(work)


def named(body: Callable[[str, str], Any]) -> Callable[[Any], Any]:
    """Return a handler of awa's that calls a body."""

    async def handler(job: Any) -> None:
        await body(job.args.subject, job.args.business)

    return handler


if __name__ == "__main__":
    main(Awa)
