"""The heartbeat of one worker: its own thread and connection, so that no busy pool can silence it."""

import logging
import threading
import time
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ledger.watch import HEARTBEAT_EVERY, UNHEARD_AFTER, heartbeat, sign_off

log = logging.getLogger(__name__)
AFTER_A_MISS = 0.5
"""Seconds to the next try: after a restart of the server, the worker starts nothing until it is heard again."""


class Heartbeat:
    """Beats every second; `heard` tells whether the last good one is fresh enough to start work on.

    What is to be cancelled is told with each beat.
    """

    def __init__(self, engine: Engine, worker: UUID, threads: int, kinds: Sequence[str]) -> None:
        self._engine = engine
        self._worker = worker
        self._threads = threads
        self._kinds = kinds
        self._last = float("-inf")
        self._cancelled: frozenset[int] = frozenset()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Beat once, or raise; then go on in the background."""
        self._beat()
        self._thread.start()

    def heard(self) -> bool:
        """Whether the ledger has heard this worker lately: by the time before the beat was sent."""
        return time.monotonic() - self._last < UNHEARD_AFTER.total_seconds()

    def cancelled(self, job_id: int) -> bool:
        """Whether one of this worker's jobs is to be cancelled."""
        return job_id in self._cancelled

    def stop(self) -> None:
        """Stop beating and leave the list of workers."""
        self._stop.set()
        self._thread.join(5)
        try:
            with self._engine.begin() as db:
                sign_off(db, self._worker)
        except SQLAlchemyError:
            log.warning("heartbeat.sign_off_failed")

    def _run(self) -> None:
        pause = HEARTBEAT_EVERY.total_seconds()
        while not self._stop.wait(pause):
            try:
                self._beat()
                pause = HEARTBEAT_EVERY.total_seconds()
            except Exception as error:  # noqa: BLE001 - a worker whose heart stopped would claim nothing for ever
                log.warning("heartbeat.missed", extra={"error": type(error).__name__})
                pause = AFTER_A_MISS

    def _beat(self) -> None:
        sent = time.monotonic()
        with self._engine.begin() as db:
            self._cancelled = frozenset(heartbeat(db, self._worker, self._threads, self._kinds))
        self._last = sent
