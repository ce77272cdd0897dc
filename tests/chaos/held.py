"""Holding things at a named point: a job by a lock on what its next step needs, a process by stopping its clock."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from types import TracebackType
from typing import Self

import psycopg

WAITS_FOR = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid)) AND query LIKE %s"
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"


class Hold:
    """A superuser's transaction that holds the locks of a statement until it is released."""

    def __init__(self, admin_url: str, statement: str, *values: object) -> None:
        self._url = admin_url.replace("+psycopg", "")
        self._db = psycopg.connect(self._url)
        self._taking = Thread(target=lambda: self._db.execute(statement.encode(), values), daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def take(self) -> Self:
        """Take the locks."""
        self._taking.start()
        self._taking.join()
        return self

    def queue(self) -> None:
        """Stand in the queue for the locks; return once somebody is before us."""
        mine = self._db.info.backend_pid
        self._taking.start()
        self._until(WAITS, mine)

    def waited_for(self, by: str = "") -> None:
        """Return once a statement that names this function waits for these locks."""
        self._until(WAITS_FOR, self._db.info.backend_pid, f"%{by}%")

    def release(self) -> None:
        """Let go of all locks."""
        self._db.close()

    def _until(self, question: str, *values: object) -> None:
        until = time.monotonic() + 20
        while True:
            with psycopg.connect(self._url) as other:
                row = other.execute(question.encode(), values).fetchone()
            if row and row[0]:
                return
            assert time.monotonic() < until, "nobody came to wait for a lock"
            time.sleep(0.02)


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
