"""A process's one tap: pops by priority within its budget, claims, and hands over what is ours."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from uuid import UUID

import redis
from dramatiq import Message
from dramatiq.broker import Consumer, MessageProxy
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ledger.claim import Token, claim, disclaim, give_back, refuse
from ledger.claimed import Claimed
from ledger.dispatch import PRIORITIES, Dispatched, dispatch, ring_again
from ledger.job import Registry
from workers.bell import Bell, priority
from workers.budget import Budget
from workers.crew import Crew

log = logging.getLogger(__name__)
QUEUE = "nexara"
"""dramatiq's name for the one stream of work a process has; our queues are lists behind it."""
STRANGE_REST = 1.0
"""Seconds for which a queue is left to others, after it held a job of a kind that this release does not know."""
HUNG_REST = 5.0
"""Seconds for which a Redis that hangs is gone round: each pop that it does not answer takes three."""


class Intake:
    """What this process holds: claimed, and not yet ended."""

    def __init__(
        self,
        engine: Engine,
        bell: Bell,
        registry: Registry,
        worker: UUID,
        queues: Sequence[str],
        budget: Budget,
        heard: Callable[[], bool] = lambda: True,
    ) -> None:
        self._engine = engine
        self._at_once = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._bell = bell
        self._worker = worker
        self._queues = list(queues)
        self._kinds = registry.kinds
        self._plain = [job.kind for job in registry if job.plain is not None]
        self._held: dict[
            Token, Claimed
        ] = {}  # by fence too: a job may be taken back and come again while its thread runs
        self._doubtful: list[Token] = []  # whose claim may have been done though its answer was lost
        self._closed = threading.Event()
        self._redis_again = 0.0
        self._queue_again: dict[str, float] = {}
        self._heard = heard
        self.budget = budget
        self.crew = Crew(budget.threads)

    @property
    def closed(self) -> bool:
        """Whether the tap is closed: nothing new is taken or started."""
        return self._closed.is_set()

    def close(self) -> None:
        """Take nothing new from here on."""
        self._closed.set()

    def held(self, job_id: int, fence: int) -> Claimed | None:
        """Return a job this process holds under this fence."""
        return self._held.get((job_id, fence))

    def forget(self, tokens: Iterable[Token]) -> None:
        """Note that these have ended, or are another's."""
        count = sum(self._held.pop(token, None) is not None for token in tokens)
        self.budget.release(count)

    def give_back_all(self) -> int:
        """Give back, unspent, whatever is still held; returns how many were."""
        self._settle_doubts()
        return self._give_back(list(self._held.values()))

    def _give_back(self, jobs: Sequence[Claimed]) -> int:
        if not jobs:
            return 0
        with self._engine.begin() as db:
            given = give_back(db, [(job.id, job.fence) for job in jobs])
        self.forget((job.id, job.fence) for job in jobs)
        return given

    def fetch(self, wait: float) -> Sequence[Claimed]:
        """Claim what there is room for, and return what is for an idle thread; waits up to `wait` seconds.

        A Redis that is down is gone round.
        """
        room = self.budget.room(wait)
        if self.closed or room == 0:
            return []
        if not self._heard():  # what it claimed now it would only give back, and claim again
            time.sleep(min(wait, 0.25))
            return []
        key, tokens = "", self._doubtful
        try:
            self._settle_doubts()
            key, tokens = self._pop(room, wait)
            if not tokens:
                return []
            claimed = self._claim(tokens)
        except SQLAlchemyError:
            log.warning("intake.claim_failed", extra={"count": len(tokens)})
            self._doubtful = tokens
            self._return(key, tokens)
            time.sleep(min(wait, 0.25))
            return []
        if len(claimed) < len(tokens):
            self._refuse(key, tokens)
        if self.closed:
            self._give_back(claimed)
            return []
        return self.crew.take_on(claimed, priority(key))

    def _pop(self, room: int, wait: float) -> tuple[str, list[Token]]:
        if time.monotonic() >= self._redis_again:
            try:
                self._queues.append(self._queues.pop(0))  # no queue is always asked first
                if queues := self._open_queues():
                    return self._bell.pop(queues, room, wait)
                time.sleep(min(wait, 0.1))
                return "", []  # noqa: TRY300 - the ledger itself is not asked instead
            except (redis.RedisError, OSError) as error:
                log.warning("intake.redis_down")
                if isinstance(error, (redis.TimeoutError, TimeoutError)):
                    self._redis_again = time.monotonic() + HUNG_REST
        tokens = self._straight_from_the_ledger(room)
        if not tokens:
            time.sleep(min(wait, 0.25))
        return "", tokens

    def _claim(self, tokens: list[Token]) -> list[Claimed]:
        with self._at_once.begin() as db:
            claimed = claim(db, self._worker, self._kinds, self._plain, tokens)
        self.budget.take(len(claimed))
        self._held.update(((job.id, job.fence), job) for job in claimed)
        return claimed

    def _refuse(self, key: str, tokens: list[Token]) -> None:
        """Give back what is of kinds that we do not know, and leave its queue to others: we would pop it again."""
        try:
            with self._at_once.begin() as db:
                refused = refuse(db, self._kinds, tokens)
        except SQLAlchemyError:
            return  # they are rung again
        if refused:
            log.warning("intake.kind_unknown", extra={"count": refused})
            if key:
                self._queue_again[self._bell.queue_of(key)] = time.monotonic() + STRANGE_REST
            else:
                time.sleep(STRANGE_REST / 4)

    def _open_queues(self) -> list[str]:
        """Return the queues that are not left to others."""
        now = time.monotonic()
        return [queue for queue in self._queues if self._queue_again.get(queue, 0.0) <= now]

    def _settle_doubts(self) -> None:
        """Give back what we may hold without knowing it: else it would wait half a minute for its rescue."""
        if self._doubtful:
            with self._at_once.begin() as db:
                disclaim(db, self._worker, self._doubtful)
            self._doubtful = []

    def _return(self, key: str, tokens: list[Token]) -> None:
        """Put back what could not be claimed; if Redis is down too, the dispatcher rings again."""
        try:
            if key:
                self._bell.put_back(key, tokens)
        except (redis.RedisError, OSError):
            log.warning("intake.put_back_failed")

    def _straight_from_the_ledger(self, room: int) -> list[Token]:
        """Do the dispatcher's work for ourselves while Redis is away."""
        jobs: list[Dispatched] = []
        try:
            with self._engine.begin() as db:
                for priority, queue in product(PRIORITIES, self._queues):
                    room_here = [0] * len(PRIORITIES)
                    room_here[priority] = room - len(jobs)
                    if room_here[priority] > 0:
                        jobs += dispatch(db, queue, room_here)
                for priority, queue in product(PRIORITIES, self._queues):
                    if len(jobs) < room:
                        jobs += ring_again(db, queue, priority, None, room - len(jobs))
        except SQLAlchemyError:
            log.warning("intake.ledger_down")
            return []
        return [(job.id, job.fence) for job in jobs]


class Tap(Consumer):
    """dramatiq's view of the intake. No exception leaves it: dramatiq would answer one by losing what it holds."""

    def __init__(self, intake: Intake, timeout: float) -> None:
        self._intake = intake
        self._timeout = timeout
        self._ready: deque[MessageProxy] = deque()

    def __next__(self) -> MessageProxy | None:
        if not self._ready:
            try:
                self._ready.extend(message(claimed) for claimed in self._intake.fetch(self._timeout))
            except Exception:
                log.exception("intake.failed")
                time.sleep(self._timeout)
        if self._ready:
            return self._ready.popleft()
        if self._intake.closed:
            time.sleep(0.05)
        return None

    def ack(self, message: MessageProxy) -> None:
        """Do nothing: the actor itself ends its job in the ledger."""

    nack = ack

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Do nothing: the process gives back what it holds when it stops."""

    def close(self) -> None:
        """Do nothing: there is nothing of its own to close."""


def message(claimed: Claimed) -> MessageProxy:
    """Return the message that carries a job through dramatiq: its id and fence."""
    return MessageProxy(
        Message(
            queue_name=QUEUE,
            actor_name=claimed.kind,
            args=(claimed.id, claimed.fence),
            kwargs={},
            options={},
            message_id=f"{claimed.id}:{claimed.fence}",
        )
    )
