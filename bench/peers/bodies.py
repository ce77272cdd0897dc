"""The bodies of the jobs that are measured, for engines that call functions and for those that await."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from psycopg_pool import AsyncConnectionPool, ConnectionPool

from bench.entries import Teller

KINDS = ("nothing", "write", "sleep", "sleep_long", "when", "hold")
WRITE = "INSERT INTO nexara.people (business_id) VALUES (%s)"
"""The least that a job can do to write a row: one statement that commits itself, as a superuser, past every policy."""
SLEEP, SLEEP_LONG = 0.005, 5.0  # seconds
HOLD = 600.0  # seconds: longer than anybody waits for whoever holds it


class Rows:
    """Writes rows over a pool of as many connections as a process has threads, once it is open."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._pool: ConnectionPool | None = None

    def open(self, threads: int) -> None:
        """Connect; for worker processes alone."""
        self._pool = ConnectionPool(
            self._database, open=True, min_size=threads, max_size=threads, kwargs={"autocommit": True}
        )

    def __call__(self, business: str) -> None:
        """Write one."""
        assert self._pool is not None
        with self._pool.connection() as connection:
            connection.execute(WRITE, [business])


class AwaitedRows:
    """The same for what awaits; open for as long as the block lasts."""

    def __init__(self, database: str, threads: int) -> None:
        self._pool = AsyncConnectionPool(
            database, open=False, min_size=threads, max_size=threads, kwargs={"autocommit": True}
        )

    async def __aenter__(self) -> "AwaitedRows":
        await self._pool.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()

    async def __call__(self, business: str) -> None:
        """Write one."""
        async with self._pool.connection() as connection:
            await connection.execute(WRITE, [business])


def blocking(entries: str, write: Callable[[str], None]) -> dict[str, Callable[[str, str], None]]:
    """Return the bodies by kind, each called with its subject and business."""
    tell = Teller(entries)

    def hold(subject: str, business: str) -> None:
        tell(subject)
        time.sleep(HOLD)

    return {
        "nothing": lambda subject, business: None,
        "write": lambda subject, business: write(business),
        "sleep": lambda subject, business: time.sleep(SLEEP),
        "sleep_long": lambda subject, business: time.sleep(SLEEP_LONG),
        "when": lambda subject, business: tell(subject),
        "hold": hold,
    }


def awaiting(
    entries: str, write: Callable[[str], Awaitable[object]]
) -> dict[str, Callable[[str, str], Awaitable[None]]]:
    """Return the same bodies to be awaited."""
    tell = Teller(entries)

    async def nothing(subject: str, business: str) -> None:
        pass

    async def writing(subject: str, business: str) -> None:
        await write(business)

    async def sleep(subject: str, business: str) -> None:
        await asyncio.sleep(SLEEP)

    async def sleep_long(subject: str, business: str) -> None:
        await asyncio.sleep(SLEEP_LONG)

    async def when(subject: str, business: str) -> None:
        tell(subject)

    async def hold(subject: str, business: str) -> None:
        tell(subject)
        await asyncio.sleep(HOLD)

    return {
        "nothing": nothing,
        "write": writing,
        "sleep": sleep,
        "sleep_long": sleep_long,
        "when": when,
        "hold": hold,
    }
