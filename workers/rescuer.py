"""Takes back the jobs of the dead, and not of those whom a restart or a hang of the server kept from beating."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ledger.claimed import Ended
from ledger.watch import RESCUE_EVERY, STALE_AFTER, look, rescue

log = logging.getLogger(__name__)
LONGEST_PAUSE = timedelta(seconds=3)
"""Between two looks: after a longer one, as when the server hung or its clock was set, old heartbeats say nothing."""


class Unbroken:
    """How long looks have followed each other without a pause, by the server's clock."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._last: datetime | None = None

    def seen(self, present: datetime) -> timedelta:
        """Note a look; return since when there was no pause."""
        paused = self._last is None or not timedelta(0) <= present - self._last <= LONGEST_PAUSE
        if paused or self._since is None:
            self._since = present
        self._last = present
        return present - self._since

    def broken(self) -> None:
        """Note that a look failed."""
        self._last = None


class Rescuer:
    """Looks each second, and rescues once it has looked unbroken for as long as a worker may be silent."""

    def __init__(self, engine: Engine, tell: Callable[[Ended], None]) -> None:
        self._engine = engine
        self._tell = tell
        self._unbroken = Unbroken()

    def run(self, stopping: threading.Event) -> None:
        """Look until told to stop."""
        while not stopping.wait(RESCUE_EVERY.total_seconds()):
            try:
                self._look()
            except SQLAlchemyError:
                self._unbroken.broken()

    def _look(self) -> None:
        with self._engine.begin() as db:
            present = look(db)
            long_enough = self._unbroken.seen(present) >= STALE_AFTER
            rescued = rescue(db, looked_at=present) if long_enough else []
        for job in rescued:
            log.warning("job.rescued", extra={"job_id": job.id, "kind": job.kind, "state": job.state})
            if job.state == "dead":  # no worker is there to tell of it
                self._tell(Ended(job.id, job.kind, job.attempt, job.state, job.reason))
