"""Holding things at a named point: a job by a lock on what its next step needs, a process by stopping its clock."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

import psycopg

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid)) AND query LIKE %s"


class Hold:
    """A superuser's transaction that holds the locks of a statement until it is released."""

    def __init__(self, admin_url: str, statement: str, *values: object) -> None:
        self._url = admin_url.replace("+psycopg", "")
        self._db = psycopg.connect(self._url)
        self._db.execute(statement.encode(), values)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def waited_for(self, by: str = "", within: float = 20.0) -> None:
        """Return once a statement that names this function waits for these locks."""
        until = time.monotonic() + within
        mine = self._db.info.backend_pid
        while True:
            with psycopg.connect(self._url) as other:
                row = other.execute(WAITING, (mine, f"%{by}%")).fetchone()
            if row and row[0]:
                return
            assert time.monotonic() < until, "nobody came to wait for this lock"
            time.sleep(0.02)

    def also(self, statement: str, *values: object) -> None:
        """Run another statement in the same transaction."""
        self._db.execute(statement.encode(), values)

    def release(self) -> None:
        """Let go of all locks."""
        self._db.close()


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """Let processes hang: their connections stay open, and nobody answers."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):  # it was killed meanwhile
                os.kill(pid, signal.SIGCONT)
