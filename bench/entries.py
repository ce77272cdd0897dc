"""The moments at which handlers were entered, told from worker processes to the one that measures."""

import os
import socket
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

BUFFER = 1 << 22
SIZE = 28


class Entry(NamedTuple):
    """One handler's entry: its subject, when in nanoseconds of CLOCK_MONOTONIC, and in which process."""

    subject: str
    at: int
    pid: int


class Teller:
    """Sends each entry as one datagram; CLOCK_MONOTONIC is the same for all processes of a machine."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._path = path

    def __call__(self, subject: str) -> None:
        """Tell that the handler of this subject was entered now; if nobody listens any more, nobody needs it."""
        now = time.monotonic_ns()
        try:
            said = UUID(subject).bytes + now.to_bytes(8, "big") + os.getpid().to_bytes(4, "big")
            self._socket.sendto(said, self._path)
        except (ConnectionRefusedError, FileNotFoundError):
            return


class Entries:
    """Hears what the workers tell, in a thread of its own: a teller waits while nobody reads."""

    def __init__(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._socket.bind(path)
        self._heard: dict[str, list[Entry]] = {}
        self._news = threading.Condition()
        threading.Thread(target=self._listen, name="entries", daemon=True).start()

    def first(self, subjects: Collection[str], patience: float, *, since: int = 0) -> dict[str, Entry]:
        """Return each subject's first entry after `since` ns: of all, or of those heard within `patience` seconds."""
        until = time.monotonic() + patience
        found: dict[str, Entry] = {}
        with self._news:
            while True:
                for subject in subjects:
                    if subject not in found and (later := self._after(subject, since)):
                        found[subject] = later
                left = until - time.monotonic()
                if len(found) == len(subjects) or left <= 0:
                    return found
                self._news.wait(left)

    def forget(self) -> None:
        """Forget what was heard."""
        with self._news:
            self._heard.clear()

    def _after(self, subject: str, since: int) -> Entry | None:
        return next((entry for entry in self._heard.get(subject, ()) if entry.at > since), None)

    def _listen(self) -> None:
        while said := self._socket.recv(SIZE):
            at, pid = int.from_bytes(said[16:24], "big"), int.from_bytes(said[24:], "big")
            entry = Entry(str(UUID(bytes=said[:16])), at, pid)
            with self._news:
                self._heard.setdefault(entry.subject, []).append(entry)
                self._news.notify_all()
