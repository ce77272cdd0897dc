"""A real worker process and a real dispatcher, run inside a test's own process beside it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from threading import Event
from typing import Any

import pytest

from ledger.claimed import Ended
from ledger.job import Registry
from tests.ledger.conftest import Ledger
from tests.workers.conftest import in_thread
from workers.bell import Bell, connect
from workers.dispatcher import Dispatcher
from workers.wiring import engine
from workers.worker import WorkerProcess

QUEUES = ("walls", "knocks")
Start = Callable[..., AbstractContextManager[WorkerProcess]]


@pytest.fixture
def told() -> list[Ended]:
    return []


@pytest.fixture
def start(ledger: Ledger, redis_url: str, told: list[Ended]) -> Iterator[Start]:
    """Run a worker process in this one until the block ends; `patience` is how long it waits for its jobs then."""
    left = ExitStack()

    @contextmanager
    def starting(
        registry: Registry | None = None,
        *,
        queues: Sequence[str] = QUEUES,
        threads: int = 4,
        patience: float = 10,
    ) -> Iterator[WorkerProcess]:
        url = ledger.worker.url.render_as_string(hide_password=False)
        database, beats, client = engine(url, threads + 2), engine(url, 1), connect(redis_url)
        process = WorkerProcess(
            engine=database,
            beats=beats,
            bell=Bell(client),
            registry=registry or ledger.registry,
            vendors=object(),
            queues=queues,
            threads=threads,
            tell=told.append,
        )
        with in_thread(lambda: process.run(patience), process.stop):
            yield process
        left.callback(client.close)
        left.callback(beats.dispose)
        left.callback(database.dispose)
        # A process ends with its threads; here they must end by themselves, and before their connections.
        of_dramatiq: list[Any] = [*process._worker.consumers.values(), *process._worker.workers]
        for thread in of_dramatiq:
            thread.stop()
            left.callback(thread.join, 20)

    with left:
        yield starting


@pytest.fixture
def dispatching(ledger: Ledger, redis_url: str) -> Iterator[None]:
    """Go the dispatcher's rounds, without the threads that end with its process."""
    client, stopping = connect(redis_url), Event()
    dispatcher = Dispatcher(ledger.worker, Bell(client), "")

    def rounds() -> None:
        while not stopping.wait(0.01):
            dispatcher._round()

    with in_thread(rounds, stopping.set):
        yield
    dispatcher._at_once.close()
    client.close()
