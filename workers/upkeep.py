"""What the dispatcher does now and then beside its rounds: promote, settle, count, ring again for what Redis lost."""

import logging
import time
from collections.abc import Callable

from sqlalchemy import Connection, Engine, text

from ledger.count import count_pace
from ledger.dispatch import PRIORITIES, Dispatched, promote, ring_again, settle_batches, settle_pauses
from workers.bell import Bell
from workers.held import Held

log = logging.getLogger(__name__)
PROMOTE_EVERY = 0.1
RING_AGAIN_EVERY = 1.0
SETTLE_EVERY = 1.0
SETTLE_BATCHES_EVERY = 0.25
COUNT_EVERY = 1.0
QUEUES = text("SELECT DISTINCT queue FROM ledger.job_kinds")


class Upkeep:
    """Does each thing when it is due; `due` is for whoever has something of the kind himself."""

    def __init__(self, engine: Engine, at_once: Held, bell: Bell) -> None:
        self._engine = engine
        self._at_once = at_once
        self._bell = bell
        self._next: dict[str, float] = {}

    def run(self) -> int:
        """Do what is due; returns how many jobs moved."""
        moved = self._do("promote", PROMOTE_EVERY, promote)
        moved += self._until_done("pauses", SETTLE_EVERY, settle_pauses)
        moved += self._until_done("batches", SETTLE_BATCHES_EVERY, settle_batches)
        self._until_done("pace", COUNT_EVERY, count_pace)
        if self.due("ring_again", RING_AGAIN_EVERY):
            self._ring_again()
        return moved

    def due(self, what: str, every: float) -> bool:
        """Whether it is time for something again, so many seconds after the last time."""
        now = time.monotonic()
        if now < self._next.get(what, 0.0):
            return False
        self._next[what] = now + every
        return True

    def _do(self, what: str, every: float, act: Callable[[Connection], int]) -> int:
        if not self.due(what, every):
            return 0
        with self._at_once.begin() as db:
            return act(db)

    def _until_done(self, what: str, every: float, act: Callable[[Connection], int]) -> int:
        """Do it; again in the next round if something was done, for there may be more of a backlog."""
        done = self._do(what, every, act)
        if done:
            self._next[what] = 0.0
        return done

    def _ring_again(self) -> None:
        with self._engine.begin() as db:
            queues = list(db.execute(QUEUES).scalars())
        for queue in queues:
            rung: list[Dispatched] = []
            heads = [(priority, self._bell.head(queue, priority)) for priority in PRIORITIES]
            with self._engine.begin() as db:
                for priority, head in heads:
                    rung += ring_again(db, queue, priority, head)
            if rung:
                log.warning("dispatcher.rang_again", extra={"queue": queue, "count": len(rung)})
                self._bell.push(queue, rung)
