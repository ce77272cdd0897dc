"""How many jobs a process may hold: its idle threads, and what it finishes in the next tenth of a second."""

import threading
import time

AHEAD = 0.1  # seconds of work
MOST_AHEAD = 256
WORTH_A_WAIT = 16  # jobs read ahead: at such a pace a moment makes one claim of many small ones
A_MOMENT = 0.005  # seconds
WINDOW = 1.0  # seconds over which the pace is measured


class Budget:
    """Counts the jobs held and the pace at which they end.

    A consumer that claims all it can pop empties Redis into its own memory, where no idle neighbour can take a job and
    no urgent one can pass. Slow jobs make a slow pace, so they are taken for idle threads only.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._held = 0
        self._pace = 0.0
        self._ended = 0
        self._since = time.monotonic()
        self._changed = threading.Condition()

    @property
    def held(self) -> int:
        """How many jobs this process holds."""
        return self._held

    def take(self, count: int) -> None:
        """Note that so many jobs were claimed."""
        with self._changed:
            self._held += count

    def release(self, count: int = 1) -> None:
        """Note that so many jobs ended."""
        with self._changed:
            self._held -= count
            self._ended += count
            self._measure()
            self._changed.notify_all()

    def room(self, wait: float) -> int:
        """Return how many more jobs may be claimed now; waits up to `wait` seconds for at least one."""
        with self._changed:
            if self._changed.wait_for(lambda: self._free() > 0, wait) and self._ahead() >= WORTH_A_WAIT:
                self._changed.wait_for(lambda: self._free() * 2 >= self._ahead(), A_MOMENT)
            return max(0, self._free())

    def drained(self, wait: float) -> bool:
        """Wait up to `wait` seconds until no job is held."""
        with self._changed:
            return self._changed.wait_for(lambda: self._held == 0, wait)

    def _free(self) -> int:
        return self.threads + self._ahead() - self._held

    def _ahead(self) -> int:
        """How many jobs to hold beside the running ones; none after a silence, when the pace is of other jobs."""
        silence = time.monotonic() - self._since
        return 0 if silence > WINDOW else min(MOST_AHEAD, int(self._pace * AHEAD))

    def _measure(self) -> None:
        elapsed = time.monotonic() - self._since
        if elapsed >= AHEAD:
            weight = min(1.0, elapsed / WINDOW)
            self._pace += weight * (self._ended / elapsed - self._pace)
            self._ended = 0
            self._since = time.monotonic()
