"""How many rows are taken at once: as many as fit into the time that a transaction has, as the last ones went."""

import time

FEWEST = 10
GROWS = 4
"""How many times as many as the last ones are dared at most."""
MARGIN = 0.8
"""Of the time that is left, how much is planned for: no two rows cost the same, and the commit takes its own."""


class Pace:
    """One transaction's time, in seconds. It begins with the first rows that are locked: looking locks nothing.

    Without patience it is never over, and `most` stays as it was.
    """

    def __init__(self, most: int, patience: float | None) -> None:
        self.most = self._first = most
        self.patience = patience
        self._began: float | None = None
        self._since = 0.0

    def anew(self) -> None:
        """Begin with few again: rows of another table are known to be neither as fast nor as slow."""
        self.most = self._first

    def locking(self) -> None:
        """Say that rows are about to be locked."""
        if self._began is None:
            self._began = self._since = time.monotonic()

    def locked(self, rows: int) -> None:
        """Say that so many were; the next ones are as many as the time that is left allows at that speed."""
        now = time.monotonic()
        took, self._since = now - self._since, now
        if rows and took and self.patience:
            self.most = min(GROWS * self.most, int(MARGIN * self._left() * rows / took))

    def is_over(self) -> bool:
        """Whether what is locked should be let go of: nothing that is worth it fits any more."""
        if self._began is None or self.patience is None:
            return False
        return self._left() <= 0 or self.most < FEWEST

    def _left(self) -> float:
        assert self._began is not None  # noqa: S101 - nothing is left or over before
        return (self.patience or 0.0) - (time.monotonic() - self._began)
