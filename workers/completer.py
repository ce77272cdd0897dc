"""Completes jobs without effects as sets, in a thread of its own."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from ledger.claim import Token, complete_free, complete_many
from ledger.transaction import passing, through_restarts

MOST_AT_ONCE = 500
A_MOMENT = 0.005  # seconds for a set to fill: each costs a commit
LOCKED_REST = 1.0  # seconds between two tries at rows that somebody else has locked
log = logging.getLogger(__name__)


class Completer:
    """Takes tokens from worker threads and completes them; the intake's budget bounds how many wait.

    `done` is told those that ended, `died` that it cannot go on.
    """

    def __init__(self, engine: Engine, done: Callable[[list[Token]], None], died: Callable[[], None]) -> None:
        self._at_once = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._done = done
        self._died = died
        self._waiting: deque[Token] = deque()
        self._locked: set[Token] = set()
        self._some = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="completer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, token: Token) -> None:
        """Complete this job soon."""
        self._waiting.append(token)
        if not self._some.is_set():
            self._some.set()

    def stop(self, timeout: float) -> None:
        """Complete what waits, then end; `timeout` in seconds."""
        self._stopping.set()
        self._some.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            while self._waiting or not self._stopping.is_set():
                self._some.wait(LOCKED_REST if self._locked else None)
                self._stopping.wait(A_MOMENT)
                self._some.clear()  # before they are taken: one that is put meanwhile rings again
                while tokens := self._gather():
                    self._complete(tokens)
                if self._locked:
                    self._complete_free(list(self._locked))
        except Exception:
            log.critical("completer.died")
            self._died()
            raise

    def _complete(self, tokens: list[Token]) -> None:
        def all_of_them() -> None:
            with self._at_once.begin() as db:
                complete_many(db, tokens)

        try:
            through_restarts(all_of_them)
        except DBAPIError as error:
            if not passing(error):
                raise
            log.warning("completer.held_up", extra={"count": len(tokens)})
            self._complete_free(tokens)
        else:
            self._done(tokens)

    def _complete_free(self, tokens: list[Token]) -> None:
        """Complete what nobody else has locked; one row that a forgotten session holds must not stop the others."""

        def those_free() -> list[Token]:
            with self._at_once.begin() as db:
                return complete_free(db, tokens)

        try:
            left = set(through_restarts(those_free))
        except DBAPIError as error:
            if not passing(error):
                raise
            left = set(tokens)
        self._locked = self._locked.difference(tokens) | left
        if done := [token for token in tokens if token not in left]:
            self._done(done)

    def _gather(self) -> list[Token]:
        """Take what waits, up to a set."""
        return [self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting)))]
