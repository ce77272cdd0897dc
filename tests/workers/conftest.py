"""The ledger of the ledger's tests, and a Redis of this test's own to ring for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from time import monotonic, sleep

import pytest

from ledger.dispatch import PRIORITIES, Dispatched
from ledger.payload import Payload
from tests.classified import all_of_redis
from tests.ledger.conftest import Ledger, ledger
from workers.bell import Bell, connect

__all__ = ["ledger"]


@pytest.fixture
def bell(redis_url: str) -> Iterator[Bell]:
    client = connect(redis_url)
    yield Bell(client)
    all_of_redis([key for key in client.scan_iter() if key.startswith(b"nexara")], "nexara")
    client.close()


@pytest.fixture
def rung(ledger: Ledger, bell: Bell) -> Callable[..., list[int]]:
    """Enqueue payloads, dispatch what is available in a queue and ring for it; returns the ids."""

    def ring(*payloads: Payload, queue: str = "walls") -> list[int]:
        ids = [ledger.enqueue(payload) for payload in payloads]
        bell.push(queue, [Dispatched(job_id, fence, PRIORITIES[2]) for job_id, fence in ledger.dispatched(queue)])
        return ids

    return ring


def until(true: Callable[[], object], deadline: float = 20) -> None:
    """Wait until something is so."""
    end = monotonic() + deadline
    while not true():
        assert monotonic() < end, "it never came to be so"
        sleep(0.02)


@contextmanager
def in_thread(work: Callable[[], None], stop: Callable[[], None]) -> Iterator[Thread]:
    """Run something beside the test until the block ends."""
    thread = Thread(target=work)
    thread.start()
    try:
        yield thread
    finally:
        stop()
        thread.join(30)
        assert not thread.is_alive()
