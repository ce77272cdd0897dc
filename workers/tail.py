"""The last lines that were logged on a job's thread, kept while it runs: what an attempt that failed leaves of itself.

A line holds what a line of the log does, our own words, ids and codes, with every longer number and address masked.
"""

import logging
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from ledger.run import steps
from workers.log import told
from workers.scrub import mask

MOST_LINES = 50
MOST_BYTES = 4096
IDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16}|[a-z][a-z_.]*")
"""What is an id, a fingerprint or a name of ours, and need not be masked."""
UNTOLD = ("job_id", "trace")
"""What the attempt has beside its tail."""
_lines: ContextVar[deque[logging.LogRecord] | None] = ContextVar("lines", default=None)


class Tail(logging.Handler):
    """Keeps the records of a thread that runs a job; a thread that runs none leaves no trace."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record, the oldest of many going first."""
        lines = _lines.get()
        if lines is not None:
            lines.append(record)


def attach() -> None:
    """Have what is logged from here on kept for the jobs it is logged in, the steps of a job's run included."""
    tail = Tail()
    logging.getLogger().addHandler(tail)
    steps.addHandler(tail)
    steps.setLevel(logging.DEBUG)
    steps.propagate = False  # three lines a job are too many for a process's log


@contextmanager
def listening() -> Iterator[Callable[[], str | None]]:
    """Keep what is logged on this thread within the block; yields what tells it so far, None if it is nothing."""
    lines: deque[logging.LogRecord] = deque(maxlen=MOST_LINES)
    before = _lines.set(lines)
    try:
        yield lambda: written(lines)
    finally:
        _lines.reset(before)


def written(records: deque[logging.LogRecord]) -> str | None:
    """Return the latest of these records as lines, MOST_BYTES in all."""
    kept: list[str] = []
    room = MOST_BYTES
    for record in reversed(records):
        line = _line(record)
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join(reversed(kept)) or None


def _line(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
    said = told(record)
    event = said.pop("event")
    fields = "".join(f"  {name}={_masked(value)}" for name, value in said.items() if name not in UNTOLD)
    return f"{at} {record.levelname:<8} {event}{fields}"


def _masked(value: object) -> str:
    """Return a value of a line: numbers and ids as they are, other text without its longer numbers and addresses."""
    return str(value) if not isinstance(value, str) or IDS.fullmatch(value) else mask(value)
