"""How long what a dead worker held waits until another worker takes it up."""

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

HELD = text("SELECT id FROM ledger.jobs WHERE state = 'running' AND worker_id = :worker")
# Another worker has claimed it, and starts it some milliseconds later; if that one is struck as well, its own recovery
# counts. Or it has ended: what its worker asked for in its last moment, such as a completion, may be done after it.
NOT_YET = text("""
SELECT j.id, j.kind, j.priority, j.state, j.dispatched_at - :killed_at AS dispatched FROM ledger.jobs j
WHERE j.id = ANY (:held) AND j.finished_at IS NULL AND j.claimed_at < :killed_at
""")
LOOK_EVERY = 0.05  # seconds
BEFORE = 7.0
"""Seconds before a kill in which a server that went down still delays the rescue: it must have been up so long."""


@dataclass
class Recovery:
    """One kill of a worker, by this machine's clock."""

    worker: UUID
    killed_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    killed: float = field(default_factory=time.monotonic)
    held: list[int] | None = None
    count: int = 0
    last: list[Any] = field(default_factory=list)
    """The rows of those that were taken up last, a moment before that."""
    seconds: float | None = None


class Watch:
    """Looks all the time at what was held by those that were killed."""

    def __init__(self, engine: Engine) -> None:
        self.recoveries: list[Recovery] = []
        self._down: list[tuple[float, float]] = []
        self._engine = engine
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(10)

    def killed(self, worker: UUID | None) -> None:
        """Note that a worker was killed just now; one that had not started held nothing."""
        if worker is not None:
            self.recoveries.append(Recovery(worker))

    def down(self, since: float) -> None:
        """Note that the database was disturbed from a moment on until now."""
        self._down.append((since, time.monotonic()))

    def open(self) -> list[Recovery]:
        return [each for each in self.recoveries if each.seconds is None]

    def seconds(self, *, undisturbed: bool) -> list[float]:
        """Return how long each recovery took, in order; where nothing was held there was none."""
        return sorted(
            each.seconds
            for each in self.recoveries
            if each.seconds is not None and each.count and not (undisturbed and self._disturbed(each))
        )

    def _disturbed(self, recovery: Recovery) -> bool:
        end = recovery.killed + (recovery.seconds or 0.0)
        return any(since <= end and until >= recovery.killed - BEFORE for since, until in self._down)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY):
            try:
                for recovery in self.open():
                    self._look(recovery)
            except DBAPIError:
                continue

    def _look(self, recovery: Recovery) -> None:
        with self._engine.connect() as db:
            if recovery.held is None:
                recovery.held = list(db.execute(HELD, {"worker": recovery.worker}).scalars())
                recovery.count = len(recovery.held)
            asked = {"held": recovery.held, "killed_at": recovery.killed_at}
            if found := db.execute(NOT_YET, asked).all():
                recovery.last = [tuple(map(str, row)) for row in found[:3]]
            recovery.held = [row.id for row in found]
            if not recovery.held:
                recovery.seconds = time.monotonic() - recovery.killed


def share(ordered: list[float], part: float) -> float:
    """Return the smallest value that so large a part of them does not exceed."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
