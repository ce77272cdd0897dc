"""How deep the dispatcher fills a list: as deep as it is drained."""

import time

AHEAD = 0.25  # seconds of claims that a list may hold
SHALLOWEST, DEEPEST = 32, 2000  # tokens in one list


class Depth:
    """How many tokens each queue's lists may hold: a quarter second of what they were drained at."""

    def __init__(self) -> None:
        self._pace: dict[str, float] = {}
        self._since = time.monotonic()
        self._pushed: dict[str, int] = {}

    def pushed(self, queue: str, count: int) -> None:
        """Note what was pushed: lists that stay shallow were drained as fast."""
        self._pushed[queue] = self._pushed.get(queue, 0) + count
        elapsed = time.monotonic() - self._since
        if elapsed >= AHEAD:
            for name, number in self._pushed.items():
                old = self._pace.get(name, 0.0)
                self._pace[name] = old + 0.5 * (number / elapsed - old)
                self._pushed[name] = 0
            self._since = time.monotonic()

    def drained(self, queue: str) -> int:
        """Return how many tokens of this queue are claimed in AHEAD."""
        return int(self._pace.get(queue, 0.0) * AHEAD)

    def most(self, queue: str) -> int:
        """Return how many tokens a list of this queue may hold."""
        return max(SHALLOWEST, min(DEEPEST, self.drained(queue)))
