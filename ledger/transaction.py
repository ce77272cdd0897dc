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
PATIENCE = 60.0
"""Seconds: a PostgreSQL restart takes less; after it, the job is left to its deadline."""


def lost_connection(error: BaseException) -> bool:
    """Whether the server went away, so that nobody knows how the transaction ended."""
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return (
        error.connection_invalidated or state is None or state.startswith("08") or state in ("57P01", "57P02", "57P03")
    )


def moved_on(error: BaseException) -> bool:
    """Whether the job was no longer ours to write."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == STALE


def through_restarts(transaction: Callable[[], T], patience: float = PATIENCE) -> T:
    """Run a fenced transaction until the server has answered, or `patience` seconds have passed."""
    until = time.monotonic() + patience
    wait = 0.05
    while True:
        try:
            return transaction()
        except OperationalError as error:
            if not lost_connection(error) or time.monotonic() > until:
                raise
            log.warning("transaction.reconnecting", extra={"wait": wait})
        time.sleep(wait)
        wait = min(wait * 2, 2.0)
