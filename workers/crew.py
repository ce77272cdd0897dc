"""The threads of a process, and the claimed jobs that wait for one of them."""

import threading
from collections import deque
from collections.abc import Sequence

from ledger.claimed import Claimed
from ledger.dispatch import PRIORITIES


class Crew:
    """Gives each thread its first job, and whoever ends one the next: a small job costs less than to be handed over.

    A slow job keeps its own thread and no other job.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._busy = 0
        self._waiting: list[deque[Claimed]] = [deque() for _ in PRIORITIES]
        self._lock = threading.Lock()

    def take_on(self, jobs: Sequence[Claimed], priority: int) -> Sequence[Claimed]:
        """Return the first job of each thread that is idle, to be handed to it; the others wait."""
        with self._lock:
            idle = self._threads - self._busy
            first, others = jobs[:idle], jobs[idle:]
            self._busy += len(first)
            self._waiting[priority].extend(others)
            return first

    def more(self) -> Claimed | None:
        """Return a job that waits, the urgent first, to a thread that will ask again."""
        with self._lock:
            return self._popped()

    def next(self) -> Claimed | None:
        """Return the next job to a thread that has ended one; after None it is idle."""
        with self._lock:
            job = self._popped()
            self._busy -= job is None
            return job

    def _popped(self) -> Claimed | None:
        return next((waiting.popleft() for waiting in self._waiting if waiting), None)
