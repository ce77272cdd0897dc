"""What a handler may do while it runs: stop where stopping is good, and say how far it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Reach = Callable[[int | None, str | None], None]
_running: ContextVar[Reach | None] = ContextVar("running", default=None)


def checkpoint(percent: int | None = None, doing: str | None = None) -> None:
    """Stop here if somebody cancelled the job; else say how far it is, which the job's page shows.

    `percent` is 0 to 100, `doing` one word in snake_case, fixed in the source. It is written once a second at most.
    """
    reach = _running.get()
    if reach is not None:
        reach(percent, doing)


@contextmanager
def reaching(reach: Reach) -> Iterator[None]:
    """Have `checkpoint` reach the job that this thread runs, for as long as the block lasts."""
    before = _running.set(reach)
    try:
        yield
    finally:
        _running.reset(before)
