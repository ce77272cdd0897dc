"""How fast jobs are enqueued: single calls by some clients at once, each committed by itself."""

import threading
import time
from collections.abc import Callable
from uuid import uuid4

import psycopg

from bench.kinds import DoNothing
from bench.raw import Raw
from bench.servers import Servers

CLIENTS = 8
CALL = "SELECT ledger.enqueue_job_v1(%s, jsonb_build_object('subject_id', %s::text), %s)"


def into_the_ledger(servers: Servers, count: int) -> float:
    """Return the calls of enqueue_job_v1 a second, by the web tier's role, a commit each."""

    def client(calls: int) -> None:
        url = servers.url("nexara_web").replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            for _ in range(calls):
                connection.execute(CALL, (DoNothing.kind, str(uuid4()), servers.business))

    return _together(client, count)


def into_redis(servers: Servers, count: int) -> float:
    """Return dramatiq's sends a second, by as many threads of one process."""
    raw = Raw(servers.redis.url())

    def client(calls: int) -> None:
        for _ in range(calls):
            raw.actors[DoNothing.kind].send(str(uuid4()), str(servers.business))

    return _together(client, count)


def _together(client: Callable[[int], None], count: int) -> float:
    threads = [threading.Thread(target=client, args=[count // CLIENTS]) for _ in range(CLIENTS)]
    since = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count // CLIENTS * CLIENTS / (time.monotonic() - since)
