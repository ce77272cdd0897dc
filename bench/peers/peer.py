"""What each engine must be able to do to be measured, and the main of its processes."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from bench.peers.clients import Clients
from bench.peers.place import Place

SHORT = "short"
"""How its docs would have it run for many short jobs."""
SLOTS = "slots"
"""So many jobs at a time as it has threads, and none reserved beyond them: as its docs would have it for long jobs."""


class Peer(Protocol):
    """One engine. Jobs are named by kind: nothing, write, sleep, sleep_long, when, hold (see bodies.py)."""

    @property
    def clients(self) -> Clients:
        """Return what enqueues one by one."""

    @property
    def ways(self) -> Mapping[str, Callable[[int], object]]:
        """Return its ways to enqueue so many `nothing` jobs in bulk: python, sql, copy; those that it has."""

    def install(self) -> None:
        """Make its tables, if it has any."""

    def forget(self) -> None:
        """Take away every job; its workers have stopped."""

    def tidy(self) -> None:
        """Vacuum its tables, as they would be between two bursts."""

    def load(self, kind: str, count: int) -> Callable[[], object]:
        """Prepare jobs that nobody sees yet; returns what lets them all go at one moment."""

    def done(self) -> bool:
        """Return whether every job has ended."""

    def work(self, threads: int, profile: str) -> None:
        """Be one worker process until SIGTERM, told as SHORT or SLOTS."""


def main(made: Callable[[Place], Peer]) -> None:
    """`python -m bench.peers.NAME PLACE control`, `… PLACE work THREADS PROFILE`, or a process of the peer's own."""
    place = Place.read(Path(sys.argv[1]))
    what, *given = sys.argv[2:]
    peer = made(place)
    if what == "control":
        from bench.peers.control import serve

        serve(peer, place)
    elif what == "work":
        peer.work(int(given[0]), given[1])
    else:
        getattr(peer, what)()
