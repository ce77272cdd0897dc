"""The worker process: one tap, some threads, one heartbeat; SIGTERM closes the tap first."""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

import dramatiq
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ledger.claimed import Ended
from ledger.job import Registry
from ledger.run import Runner
from workers import tail
from workers.bell import Bell
from workers.broker import LedgerBroker, declare
from workers.budget import Budget
from workers.completer import Completer
from workers.heartbeat import Heartbeat
from workers.intake import Intake
from workers.perform import Perform

log = logging.getLogger(__name__)
RING_PAUSE = 5.0  # seconds
LOOK_EVERY = 5.0  # seconds between two looks for threads that never came back


class WorkerProcess:
    """Runs jobs until it is told to stop. `beats` is an engine of its own for the heartbeat."""

    def __init__(
        self,
        *,
        engine: Engine,
        beats: Engine,
        bell: Bell,
        registry: Registry,
        vendors: object,
        queues: Sequence[str],
        threads: int,
        tell: Callable[[Ended], None],
    ) -> None:
        self.id = uuid4()
        self._stopping = threading.Event()
        self._heartbeat = Heartbeat(beats, self.id, threads, registry.kinds)
        self._intake = Intake(engine, bell, registry, self.id, queues, Budget(threads), self._heartbeat.heard)
        self._completer = Completer(engine, self._intake.forget, self.stop)
        runner = Runner(
            registry,
            engine,
            vendors,
            heard=self._heartbeat.heard,
            cancelled=self._heartbeat.cancelled,
            ring=_quietly(bell.ring),
            tell=tell,
            listening=tail.listening,
        )
        broker = LedgerBroker(self._intake)
        self._perform = Perform(self._intake, runner, registry, self._completer)
        self._threads = threads
        declare(broker, registry, self._perform)
        self._worker = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=200)

    def stop(self) -> None:
        """Ask the process to stop; safe in a signal handler."""
        self._stopping.set()

    def run(self, patience: float) -> None:
        """Work until told to stop, then finish or give back within `patience` seconds."""
        self._heartbeat.start()
        self._completer.start()
        self._worker.start()
        log.info("worker.started", extra={"worker_id": str(self.id)})
        while not self._stopping.wait(LOOK_EVERY):
            if self._perform.overdue() * 2 >= self._threads:
                log.critical("worker.threads_lost", extra={"count": self._perform.overdue()})
                break  # whoever restarts it gives it all its threads again
        self._shut_down(patience)

    def _shut_down(self, patience: float) -> None:
        """Close the tap, let what runs end, complete what waits, give back the rest."""
        until = time.monotonic() + patience
        log.info("worker.stopping", extra={"held": self._intake.budget.held})
        self._intake.close()
        for thread in self._worker.workers:
            thread.stop()
        # The tap, too: what it took after the rest was given back would wait for a second ring, or for rescue.
        for tap in self._worker.consumers.values():
            tap.stop()
            tap.join(max(0.0, until - time.monotonic()))
        for thread in self._worker.workers:
            thread.join(max(0.0, until - time.monotonic()))
        self._completer.stop(max(1.0, until - time.monotonic()))
        try:
            given = self._intake.give_back_all()
        except SQLAlchemyError:
            given = -1  # they are rescued instead, as those of a worker that fell silent
        self._heartbeat.stop()
        log.info("worker.stopped", extra={"given_back": given})

    def exit(self) -> None:
        """Leave at once: a thread that still waits for a vendor must not keep the process."""
        logging.shutdown()
        os._exit(0)


def _quietly(ring: Callable[[], None]) -> Callable[[], None]:
    """Ring if Redis answers: the dispatcher's own poll finds follow-ups a moment later anyway.

    A Redis that hangs costs each ring seconds, so after one that failed none is tried for a while.
    """
    silent_until = 0.0

    def quiet() -> None:
        nonlocal silent_until
        if time.monotonic() < silent_until:
            return
        try:
            ring()
        except Exception:  # noqa: BLE001 - the job is done, and nothing that rings may undo it
            silent_until = time.monotonic() + RING_PAUSE
            log.warning("bell.down")

    return quiet
