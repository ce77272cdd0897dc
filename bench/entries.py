"""The moments at which handlers were entered, told from worker processes to the one that measures."""

import os
import socket
import time
from pathlib import Path
from types import TracebackType
from uuid import UUID

VARIABLE = "BENCH_ENTRIES"
"""The setting that tells a worker process where to send them."""
BUFFER = 1 << 22


def teller() -> "Teller":
    """Return what a worker process tells its entries with, as its environment says."""
    return Teller(Path(os.environ[VARIABLE]))


class Teller:
    """Sends each entry as one datagram; CLOCK_MONOTONIC is the same for all processes of a machine."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._path = str(path)

    def __call__(self, subject: UUID) -> None:
        """Tell that the handler of this subject was entered now."""
        self._socket.sendto(subject.bytes + time.monotonic_ns().to_bytes(8, "big"), self._path)


class Entries:
    """Hears what the workers tell."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)

    def __enter__(self) -> "Entries":
        self._path.unlink(missing_ok=True)
        self._socket.bind(str(self._path))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def hear(self, wait: float) -> tuple[UUID, int]:
        """Return the next entry: its subject, and when it was in nanoseconds; raises TimeoutError after `wait` s."""
        self._socket.settimeout(wait)
        said = self._socket.recv(24)
        return UUID(bytes=said[:16]), int.from_bytes(said[16:], "big")
