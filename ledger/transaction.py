"""Running a transaction through a lost connection: the fence makes doing it twice harmless."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

T = TypeVar("T")
log = logging.getLogger(__name__)
STALE = "NX001"
"""SQLSTATE of a write whose fence has moved on."""
GONE = ("57P01", "57P02", "57P03", "25P03", "25P04")
"""SQLSTATES of a session that the server ended: it went down, or the transaction stood still for too long."""
DEADLOCKED = ("40P01", "40001")
"""SQLSTATES of a transaction that stood in another's way: at once, it may get through."""
BUSY = ("55P03", "57014", "53100", "53200", "53300", "53400")
"""SQLSTATES of a lock or a statement that took too long, and of a server that has run out of something."""
HELD_UP = "55P03"
"""SQLSTATE of a statement that would have had to wait for a lock."""
MOST_DEADLOCKS = 5
PATIENCE = 60.0
"""Seconds: a PostgreSQL restart takes less; after it, the job is left to its deadline."""


def lost_connection(error: BaseException) -> bool:
    """Whether the server went away, so that nobody knows how the transaction ended."""
    if not isinstance(error, DBAPIError):
        return False
    state = _state(error)
    no_answer = isinstance(error, OperationalError) and (state is None or state.startswith("08"))
    return error.connection_invalidated or no_answer or state in GONE


def passing(error: BaseException) -> bool:
    """Whether a transaction failed for a reason of the moment, and not by its own fault."""
    return isinstance(error, DBAPIError) and (lost_connection(error) or _state(error) in (*DEADLOCKED, *BUSY))


def moved_on(error: BaseException) -> bool:
    """Whether the job was no longer ours to write."""
    return isinstance(error, DBAPIError) and _state(error) == STALE


def held_up(error: BaseException) -> bool:
    """Whether somebody else had locked what the statement needs."""
    return isinstance(error, DBAPIError) and _state(error) == HELD_UP


def through_restarts(transaction: Callable[[], T], patience: float = PATIENCE) -> T:
    """Run a fenced transaction until the server has answered, or `patience` seconds have passed."""
    until = time.monotonic() + patience
    deadlocks = 0
    wait = 0.05
    while True:
        try:
            return transaction()
        except DBAPIError as error:
            if _state(error) in DEADLOCKED and deadlocks < MOST_DEADLOCKS:
                deadlocks += 1
                log.warning("transaction.deadlocked", extra={"wait": wait})
            elif lost_connection(error) and time.monotonic() < until:
                log.warning("transaction.reconnecting", extra={"wait": wait})
            else:
                raise
        time.sleep(wait)
        wait = min(wait * 2, 2.0)


def _state(error: DBAPIError) -> str | None:
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state
