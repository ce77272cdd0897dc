"""The process that drives one engine: takes a line of JSON, measures, answers with one; the same code for each."""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from bench.entries import Entries
from bench.peers.peer import Peer
from bench.peers.place import Place

LOOK_EVERY = 0.01  # seconds between two looks whether all is done


class Lacks(Exception):
    """The engine has no such thing."""


class Control:
    """One engine under measurement."""

    def __init__(self, peer: Peer, place: Place) -> None:
        self._peer = peer
        self._business = place.business
        self._entries = Entries(place.entries)

    def install(self) -> None:
        """Make its tables."""
        self._peer.install()
        self._peer.forget()

    def forget(self) -> None:
        """Take away every job."""
        self._entries.forget()
        self._peer.forget()

    def each(self, kind: str, count: int, clients: int) -> float:
        """Return the seconds in which some clients enqueue so many jobs one by one."""
        return self._peer.clients.each(kind, count, clients, self._business)

    def bulk(self, way: str, count: int) -> float:
        """Return the seconds in which one client enqueues so many jobs at once."""
        if way not in self._peer.ways:
            raise Lacks(way)
        since = time.monotonic()
        self._peer.ways[way](count)
        return time.monotonic() - since

    def drain(self, kind: str, count: int, patience: float, *, tidy: bool = True) -> float | None:
        """Return the seconds from the moment at which all are visible to the end of the last; None if it lasts on."""
        if tidy:
            self._peer.tidy()
        go = self._peer.load(kind, count)
        go()
        since = time.monotonic()
        while True:
            looked = time.monotonic()  # all had ended by then, however long the look itself takes
            if self._peer.done():
                return looked - since
            if looked - since > patience:
                return None
            time.sleep(LOOK_EVERY)

    def put(self) -> str:
        """Enqueue one job that says when it is entered; returns its subject."""
        subject = str(uuid4())
        with self._peer.clients.one() as put:
            put("when", subject, self._business)
        return subject

    def entered(self, subject: str, patience: float) -> int:
        """Return when that job was entered, in nanoseconds."""
        return self._all([subject], patience)[subject]

    def waits(self, count: int, gap: float, patience: float) -> list[float]:
        """Return the milliseconds from commit to handler of jobs one at a time."""
        waits = []
        with self._peer.clients.one() as put:
            for _ in range(count):
                subject = str(uuid4())
                put("when", subject, self._business)
                since = time.monotonic_ns()
                waits.append(max(0.0, (self._all([subject], patience)[subject] - since) / 1e6))
                time.sleep(gap)
        return waits

    def offered(self, clients: int, every: float, lasting: float, patience: float) -> list[float]:
        """Return the same of jobs that many clients enqueue at once."""
        returned = self._peer.clients.offered("when", clients, every, lasting, self._business)
        entered = self._all(list(returned), patience)
        return [max(0.0, (entered[subject] - since) / 1e6) for subject, since in returned.items()]

    def behind(
        self, kind: str, backfill: int, count: int, gap: float, settle: float, patience: float
    ) -> list[float | None]:
        """Return the ms that one business's jobs waited behind another's backfill; None for those that still wait."""
        make: Callable[[], str] = getattr(self._peer, "another_business", lambda: str(uuid4()))
        other = make()
        returned: dict[str, int] = {}
        self._peer.load(kind, backfill)()
        time.sleep(settle)
        with self._peer.clients.one() as put:
            for _ in range(count):
                subject = str(uuid4())
                put("when", subject, other)
                returned[subject] = time.monotonic_ns()
                time.sleep(gap)
        if self._peer.done():
            raise RuntimeError("the backfill was over before the last of them: take more of it")
        entered = self._entries.first(returned, patience)
        return [max(0.0, (entered[s].at - at) / 1e6) if s in entered else None for s, at in returned.items()]

    def hold(self, count: int, patience: float) -> dict[str, int]:
        """Start jobs that outlast the measurement; returns the process that entered each."""
        subjects = [str(uuid4()) for _ in range(count)]
        with self._peer.clients.one() as put:
            for subject in subjects:
                put("hold", subject, self._business)
        entries = self._entries.first(subjects, patience)
        if len(entries) < count:
            raise TimeoutError(f"{count - len(entries)} jobs were not entered in {patience:.0f} s")
        return {subject: entry.pid for subject, entry in entries.items()}

    def again(self, subjects: list[str], since: int, patience: float) -> list[float]:
        """Return the seconds from `since` (ns) to the next entry of each that is entered again within `patience` s."""
        entries = self._entries.first(subjects, patience, since=since)
        return [(entry.at - since) / 1e9 for entry in entries.values()]

    def _all(self, subjects: list[str], patience: float) -> dict[str, int]:
        entries = self._entries.first(subjects, patience)
        if len(entries) < len(subjects):
            raise TimeoutError(f"{len(subjects) - len(entries)} jobs were not entered in {patience:.0f} s")
        return {subject: entry.at for subject, entry in entries.items()}


def serve(peer: Peer, place: Place) -> None:
    """Answer until there is nobody to ask. What the engine itself prints goes to the log."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    control = Control(peer, place)
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        do = asked.pop("do")
        try:
            answer = {"answer": (getattr(control, do, None) or getattr(peer, do))(**asked)}
        except Lacks as lack:
            answer = {"lacks": str(lack)}
        except Exception as error:  # noqa: BLE001 - whoever asked is told, and the next question may be answered
            traceback.print_exc()
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers)
