"""The web tier: a process of its own that enqueues a job every hundredth of a second, and says how long each took."""

import json
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from uuid import UUID, uuid4

import psycopg

GAP = 0.01  # seconds
PATIENCE = 60.0  # seconds until it has begun, or ended


@contextmanager
def enqueuing(url: str, business: UUID) -> Iterator[list[float]]:
    """Have it enqueue for as long as the block lasts; afterwards the list has the milliseconds of each."""
    took: list[float] = []
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(theirs, url, str(business)), daemon=True)
    process.start()
    _answer(ours)
    try:
        yield took
    finally:
        ours.send(None)
        took += _answer(ours)
        process.join(PATIENCE)


def p99(values: list[float]) -> float:
    """Return the 99th percentile."""
    return statistics.quantiles(values, n=100)[98] if len(values) > 2 else max(values, default=0.0)


def _answer(ours: Connection) -> list[float]:
    if not ours.poll(PATIENCE):
        raise RuntimeError("the web tier's process does not answer")
    told: list[float] = ours.recv()
    return told


def _work(told: Connection, url: str, business: str) -> None:
    took: list[float] = []
    with psycopg.connect(url, autocommit=True) as db:
        _enqueue(db, business)
        told.send([])
        while not told.poll(GAP):
            since = time.monotonic()
            _enqueue(db, business)
            took.append(1000 * (time.monotonic() - since))
    told.send(took)


def _enqueue(db: "psycopg.Connection", business: str) -> None:
    with db.transaction():
        db.execute("SELECT nexara.act_for(%s)", [business])
        payload = json.dumps({"conversation_id": str(uuid4())})
        db.execute("SELECT ledger.enqueue_job_v1('conversations.summarize', %s)", [payload])
