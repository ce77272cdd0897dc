"""The dispatcher process: promotes, picks, rings, rings again, and takes back the jobs of the dead."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from math import ceil

import psycopg
import redis
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ledger.claimed import Ended
from ledger.dispatch import PRIORITIES, dispatch, sleep, threads, waiting
from workers.bell import Bell
from workers.depth import SHALLOWEST, Depth
from workers.held import Held
from workers.knocks import Knocks
from workers.rescuer import Rescuer
from workers.upkeep import Upkeep

log = logging.getLogger(__name__)
POLL = 0.005  # seconds, while there was work a moment ago
FULL = 0.02  # seconds, while the lists hold enough
AWAKE = 0.01  # seconds after the last work
NAP = 0.5  # seconds: the longest sleep when nobody knocks
COUNT_THREADS_EVERY = 1.0
SHARE = 0.75  # of a queue's work in flight that one business may have: long jobs cannot be interrupted for another's


class Dispatcher:
    """Moves jobs from the ledger to Redis. Any number may run: a lock a queue keeps them apart."""

    def __init__(
        self, engine: Engine, bell: Bell, listen_url: str, tell: Callable[[Ended], None] = lambda _: None
    ) -> None:
        self._engine = engine
        self._at_once = Held(engine)
        self._rescuer = Rescuer(engine, tell)
        self._bell = bell
        self._upkeep = Upkeep(engine, self._at_once, bell)
        self._knocks = Knocks(listen_url, engine, self._knocked)
        self._stopping = threading.Event()
        self._knock = threading.Event()
        self._named: deque[tuple[str, int]] = deque()
        self._depth = Depth()
        self._threads = 0
        self._answered = 0.0
        self._asleep: bool | None = None  # what a killed one left behind is not known
        self.failed = False

    def stop(self) -> None:
        """Ask the process to stop; safe in a signal handler."""
        self._stopping.set()
        self._knock.set()

    def run(self) -> None:
        """Dispatch until told to stop."""
        for name, watch in (
            ("rescue", lambda: self._rescuer.run(self._stopping)),
            ("listen", lambda: self._again_and_again(lambda: self._knocks.hear(self._stopping))),
            ("bell", self._wait_for_bell),
        ):
            threading.Thread(target=self._for_life, args=(watch,), name=name, daemon=True).start()
        log.info("dispatcher.started")
        worked = time.monotonic()
        while not self._stopping.is_set():
            try:
                moved, left = self._round()
                if moved or left:
                    worked = time.monotonic()
                    self._wake()
                if moved:
                    continue
                if left:
                    self._stopping.wait(FULL)
                elif time.monotonic() - worked > AWAKE:
                    self._nap()
                else:
                    self._stopping.wait(POLL)
            except (SQLAlchemyError, redis.RedisError, OSError) as error:
                log.warning("dispatcher.waiting", extra={"error": type(error).__name__})
                self._stopping.wait(NAP)
        self._at_once.close()
        log.info("dispatcher.stopped")

    def _round(self) -> tuple[int, bool]:
        """Do what is due once; returns how many jobs moved, and whether any wait."""
        moved = self._dispatch_named()
        with self._at_once.begin() as db:
            queues = waiting(db)
        moved += sum(self._dispatch(queue, priorities) for queue, priorities in queues.items())
        return moved + self._upkeep.run(), bool(queues)

    def _dispatch_named(self) -> int:
        """Dispatch where a knock said that there is something: the look round all queues comes after it."""
        named: set[tuple[str, int]] = set()
        while self._named:
            named.add(self._named.popleft())
        moved = 0
        for queue, priority in named:
            # Knocked is only at a dispatcher that sleeps, and while it does, the lists are short.
            moved += self._pick(queue, [SHALLOWEST if p == priority else 0 for p in PRIORITIES])
        return moved

    def _dispatch(self, queue: str, priorities: Collection[int]) -> int:
        depths = self._bell.depths(queue)
        most = self._depth.most(queue)
        # A list that is half full feeds the workers long enough: few large picks cost less than many small ones.
        room = [most - depth if p in priorities and depth <= most // 2 else 0 for p, depth in enumerate(depths)]
        return self._pick(queue, room) if any(room) else 0

    def _pick(self, queue: str, room: Sequence[int]) -> int:
        with self._at_once.begin() as db:
            if self._upkeep.due("threads", COUNT_THREADS_EVERY):
                self._threads = threads(db)
            jobs = dispatch(db, queue, room, self._share(queue))
        if jobs:  # committed: if the push is lost, they are rung again
            self._bell.push(queue, jobs)
            self._depth.pushed(queue, len(jobs))
        return len(jobs)

    def _share(self, queue: str) -> int | None:
        """Return how many jobs of a queue one business may have in flight: three quarters of what there is."""
        return max(1, ceil(SHARE * self._threads), self._depth.drained(queue)) if self._threads else None

    def _nap(self) -> None:
        """Say that we sleep, if we could hear a knock; look once more, then wait for one."""
        self._knock.clear()
        if self._knocks.deaf:
            self._wake()
        elif self._asleep is not True:
            with self._at_once.begin() as db:
                sleep(db, asleep=True)
            self._asleep = True
        if any(self._round()):
            self._wake()
        else:
            self._doze()

    def _doze(self) -> None:
        """Wait until somebody knocks, and answer him; one now and then is no reason to get up.

        Each look round, and each word about ourselves, would be in the way of the very job that was knocked for.
        """
        until = time.monotonic() + NAP
        while self._knock.wait(max(0.0, until - time.monotonic())):
            last, self._answered = self._answered, time.monotonic()
            self._knock.clear()
            if self._stopping.is_set() or self._answered - last < AWAKE or not self._dispatch_named():
                return
            with self._at_once.begin() as db:
                if waiting(db):
                    return

    def _wake(self) -> None:
        """Say that we are awake: each knock that nobody needs makes an enqueuer's commit wait for another's."""
        if self._asleep is not False:
            with self._at_once.begin() as db:
                sleep(db, asleep=False)
            self._asleep = False

    def _knocked(self, where: str) -> None:
        queue, _, priority = where.partition(":")
        if priority.isdecimal():
            self._named.append((queue, int(priority)))
        self._knock.set()

    def _wait_for_bell(self) -> None:
        """Hear a worker's ring for its follow-up jobs."""

        def hear() -> None:
            while not self._stopping.is_set():
                if self._bell.wait():
                    self._knock.set()

        self._again_and_again(hear)

    def _for_life(self, watch: Callable[[], None]) -> None:
        """Run a watch until the process stops; a process that lost one of its watches must not go on without it."""
        try:
            watch()
        except Exception:
            log.critical("dispatcher.watch_died")
            self.failed = True
            self.stop()
            raise

    def _again_and_again(self, hear: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                hear()
            except (psycopg.Error, SQLAlchemyError, redis.RedisError, OSError):
                self._stopping.wait(1.0)
