"""Clients that enqueue: threads for what blocks, tasks of one loop for what awaits, the same number of either."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack, ExitStack, contextmanager
from typing import Protocol
from uuid import uuid4

Put = Callable[[str, str, str], object]
"""Enqueue one job, given its kind, subject and business; returns once it is committed."""
AsyncPut = Callable[[str, str, str], Awaitable[object]]


class Clients(Protocol):
    """Some clients, each with a connection of its own where the engine has such."""

    def each(self, kind: str, count: int, clients: int, business: str) -> float:
        """Enqueue one by one; returns the seconds, connections being open before."""

    def offered(self, kind: str, clients: int, every: float, lasting: float, business: str) -> dict[str, int]:
        """Have each client enqueue one job `every` seconds; returns when each subject's call returned, in ns."""

    def one(self) -> AbstractContextManager[Put]:
        """Return one client's call, which blocks."""


class Threads:
    """One thread a client."""

    def __init__(self, opened: Callable[[], AbstractContextManager[Put]]) -> None:
        self._opened = opened

    @contextmanager
    def one(self) -> Iterator[Put]:
        """Return one client's call."""
        with self._opened() as put:
            yield put

    def each(self, kind: str, count: int, clients: int, business: str) -> float:
        """Enqueue one by one; returns the seconds."""

        def client(put: Put) -> None:
            for _ in range(count // clients):
                put(kind, str(uuid4()), business)

        return self._together(client, clients)

    def offered(self, kind: str, clients: int, every: float, lasting: float, business: str) -> dict[str, int]:
        """Enqueue at a steady pace; returns when each call returned."""
        returned: dict[str, int] = {}
        places = iter(range(clients))

        def client(put: Put) -> None:
            due = time.monotonic() + every * next(places) / clients
            until = due + lasting
            while due < until:
                time.sleep(max(0.0, due - time.monotonic()))
                subject = str(uuid4())
                put(kind, subject, business)
                returned[subject] = time.monotonic_ns()
                due += every

        self._together(client, clients)
        return returned

    def _together(self, client: Callable[[Put], None], clients: int) -> float:
        with ExitStack() as stack:
            puts = [stack.enter_context(self._opened()) for _ in range(clients)]
            failures: list[BaseException] = []

            def run(put: Put) -> None:
                try:
                    client(put)
                except BaseException as error:  # noqa: BLE001 - told to whoever waits for the thread
                    failures.append(error)

            threads = [threading.Thread(target=run, args=[put]) for put in puts]
            since = time.monotonic()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if failures:
                raise failures[0]
            return time.monotonic() - since


class Tasks:
    """One task a client, all in the loop of `runner`."""

    def __init__(self, runner: asyncio.Runner, opened: Callable[[], AbstractAsyncContextManager[AsyncPut]]) -> None:
        self._runner = runner
        self._opened = opened

    @contextmanager
    def one(self) -> Iterator[Put]:
        """Return one client's call."""
        stack = AsyncExitStack()
        put = self._runner.run(stack.enter_async_context(self._opened()))

        async def awaited(kind: str, subject: str, business: str) -> None:
            await put(kind, subject, business)

        try:
            yield lambda kind, subject, business: self._runner.run(awaited(kind, subject, business))
        finally:
            self._runner.run(stack.aclose())

    def each(self, kind: str, count: int, clients: int, business: str) -> float:
        """Enqueue one by one; returns the seconds."""

        async def client(put: AsyncPut, place: int) -> None:
            for _ in range(count // clients):
                await put(kind, str(uuid4()), business)

        return self._runner.run(self._together(client, clients))

    def offered(self, kind: str, clients: int, every: float, lasting: float, business: str) -> dict[str, int]:
        """Enqueue at a steady pace; returns when each call returned."""
        returned: dict[str, int] = {}

        async def client(put: AsyncPut, place: int) -> None:
            due = time.monotonic() + every * place / clients
            until = due + lasting
            while due < until:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                subject = str(uuid4())
                await put(kind, subject, business)
                returned[subject] = time.monotonic_ns()
                due += every

        self._runner.run(self._together(client, clients))
        return returned

    async def _together(self, client: Callable[[AsyncPut, int], Awaitable[None]], clients: int) -> float:
        async with AsyncExitStack() as stack:
            puts: Sequence[AsyncPut] = [await stack.enter_async_context(self._opened()) for _ in range(clients)]
            since = time.monotonic()
            await asyncio.gather(*(client(put, place) for place, put in enumerate(puts)))
            return time.monotonic() - since
