"""The two that are compared: each loads jobs unseen, lets them go at one moment, and says when the last one is done."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol
from uuid import uuid4

import psycopg
import redis

from bench.raw import QUEUE, Raw
from bench.servers import Servers
from sandbox.child import DidNotStart, last_lines
from sandbox.program import Program

LOOK_EVERY = 0.01
PATIENCE = 120.0
READY = 0.5
"""Seconds that fresh processes are given to settle."""


class Contestant(Protocol):
    """What can drain jobs."""

    @property
    def name(self) -> str:
        """Return what the table calls it."""

    def programs(self) -> list[Program]:
        """Return its processes, not yet started."""

    def up(self) -> bool:
        """Return whether all its workers listen."""

    def load(self, kind: str, count: int) -> Callable[[], None]:
        """Prepare jobs of a kind that nobody sees yet; returns what lets them go."""

    def done(self) -> bool:
        """Return whether every job has ended."""


@contextmanager
def running(contestant: Contestant) -> Iterator[None]:
    """Keep a contestant's processes for as long as the block lasts."""
    programs = contestant.programs()
    try:
        for program in programs:
            program.start()
        until = time.monotonic() + PATIENCE
        while not contestant.up():
            if time.monotonic() > until or not all(program.alive() for program in programs):
                logs = "\n".join(last_lines(program.log) for program in programs)
                raise DidNotStart(f"{contestant.name} did not start:\n{logs}")
            time.sleep(0.05)
        time.sleep(READY)
        yield
    finally:
        for program in reversed(programs):
            program.stop()


def finish(contestant: Contestant) -> None:
    """Wait for the last job; raises TimeoutError if it does not end in two minutes."""
    until = time.monotonic() + PATIENCE
    while not contestant.done():
        if time.monotonic() > until:
            raise TimeoutError(f"{contestant.name} left jobs undone")
        time.sleep(LOOK_EVERY)


class Nexara:
    """The ledger, one dispatcher, and worker processes."""

    name = "nexara"

    def __init__(self, servers: Servers, processes: int, threads: int) -> None:
        self._servers = servers
        self._processes = processes
        self._threads = threads
        self._admin = psycopg.connect(servers.admin_url.replace("+psycopg", ""), autocommit=True)

    def programs(self) -> list[Program]:
        """Return the dispatcher and the workers."""
        self._admin.execute("TRUNCATE ledger.workers")
        dispatcher = self._servers.program("dispatcher", "bench.engine", "dispatcher")
        workers = [
            self._servers.program(f"worker-{n}", "bench.engine", "worker", str(self._threads))
            for n in range(self._processes)
        ]
        return [dispatcher, *workers]

    def up(self) -> bool:
        """Return whether every worker has said that it lives."""
        return self._ask("SELECT count(*) = %s FROM ledger.workers", self._processes)

    def load(self, kind: str, count: int) -> Callable[[], None]:
        """Enqueue one by one, in a transaction that is committed when they are let go."""
        self._admin.execute("VACUUM (ANALYZE) ledger.jobs")
        self._admin.execute("CHECKPOINT")
        connection = psycopg.connect(self._servers.admin_url.replace("+psycopg", ""))
        connection.execute(
            "SELECT count(ledger.enqueue_job_v1(%s, jsonb_build_object('subject_id', gen_random_uuid()), %s))"
            " FROM generate_series(1, %s)",
            (kind, self._servers.business, count),
        )

        def go() -> None:
            connection.commit()
            connection.close()

        return go

    def done(self) -> bool:
        """Return whether no job is open."""
        return self._ask(
            "SELECT NOT EXISTS (SELECT FROM ledger.jobs WHERE state = 'available')"
            " AND NOT EXISTS (SELECT FROM ledger.jobs WHERE state IN ('dispatched', 'running'))"
        )

    def forget(self) -> None:
        """Take away what is not done; its processes have stopped."""
        self._admin.execute("TRUNCATE ledger.jobs")

    def _ask(self, question: str, *values: object) -> bool:
        row = self._admin.execute(question, values).fetchone()
        return bool(row and row[0])


class RawDramatiq:
    """dramatiq's own RedisBroker and as many worker processes."""

    name = "raw dramatiq"

    def __init__(self, servers: Servers, processes: int, threads: int) -> None:
        self._servers = servers
        self._processes = processes
        self._threads = threads
        self._redis = redis.Redis.from_url(servers.redis.url())
        self._raw = Raw(servers.redis.url())

    def programs(self) -> list[Program]:
        """Return the workers."""
        self._redis.flushall()
        return [self._servers.program(f"raw-{n}", "bench.raw", str(self._threads)) for n in range(self._processes)]

    def up(self) -> bool:
        """Return whether every worker has asked for work."""
        return int(self._redis.zcard("dramatiq:__heartbeats__")) >= self._processes  # type: ignore[arg-type]

    def load(self, kind: str, count: int) -> Callable[[], None]:
        """Store the messages as the broker does, in a list that becomes its queue when they are let go."""
        business = str(self._servers.business)
        with self._redis.pipeline(transaction=False) as pipe:
            for _ in range(count):
                message_id = str(uuid4())
                message = self._raw.actors[kind].message(str(uuid4()), business)
                message = message.copy(options={"redis_message_id": message_id})
                pipe.hset(f"dramatiq:{QUEUE}.msgs", message_id, message.encode().decode())
                pipe.rpush("bench:unseen", message_id)
            pipe.execute()

        def go() -> None:
            self._redis.rename("bench:unseen", f"dramatiq:{QUEUE}")

        return go

    def done(self) -> bool:
        """Return whether every message has been acknowledged."""
        return int(self._redis.hlen(f"dramatiq:{QUEUE}.msgs")) == 0  # type: ignore[arg-type]
