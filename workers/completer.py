"""Completes jobs without effects as sets, in a bounded queue and a thread of its own."""

import logging
import queue
import threading
import time
from collections.abc import Callable

from sqlalchemy import Engine

from ledger.claim import Token, complete_many
from ledger.transaction import through_restarts

MOST_AT_ONCE = 500
LONGEST_WAIT = 0.005  # seconds for a set to fill: each costs a commit
BACKLOG = 5000
log = logging.getLogger(__name__)


class Completer:
    """Takes tokens from worker threads and completes them.

    `done` is told those that ended, `died` that it cannot go on.
    """

    def __init__(self, engine: Engine, done: Callable[[list[Token]], None], died: Callable[[], None]) -> None:
        self._at_once = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._done = done
        self._died = died
        self._waiting: queue.Queue[Token | None] = queue.Queue(BACKLOG)
        self._thread = threading.Thread(target=self._run, name="completer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, token: Token) -> None:
        """Complete this job soon; waits while the backlog is full."""
        self._waiting.put(token)

    def stop(self, timeout: float) -> None:
        """Complete what waits, then end; `timeout` in seconds."""
        self._waiting.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            while (tokens := self._gather()) is not None:
                if tokens:
                    through_restarts(lambda tokens=tokens: self._complete(tokens))  # type: ignore[misc]
                    self._done(tokens)
        except Exception:
            log.critical("completer.died")
            self._died()
            raise

    def _complete(self, tokens: list[Token]) -> None:
        with self._at_once.begin() as db:
            complete_many(db, tokens)

    def _gather(self) -> list[Token] | None:
        """Wait for a token, then take what else comes at once; None when it is time to end."""
        first = self._waiting.get()
        if first is None:
            return None
        tokens = [first]
        until = time.monotonic() + LONGEST_WAIT
        while len(tokens) < MOST_AT_ONCE:
            try:
                token = self._waiting.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            if token is None:
                self._waiting.put(None)
                break
            tokens.append(token)
        return tokens
