"""Choose loopback ports that nobody listens on, and that no other process of ours chooses meanwhile."""

import atexit
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import BinaryIO

LOOPBACK = "127.0.0.1"

# Below the ephemeral range of Linux and macOS, so that no outgoing connection takes a port while its
# server is down for a restart.
LOWEST, HIGHEST = 20_000, 32_000
TRIALS = 1_000

_chosen: set[int] = set()
_claims: dict[Path, BinaryIO] = {}


def free_port(prefer: int | None = None) -> int:
    """Return `prefer` if it is free, else a random free port; it stays this process's own until it ends."""
    wanted = [] if prefer is None else [prefer]
    for port in (*wanted, *(random.randint(LOWEST, HIGHEST) for _ in range(TRIALS))):
        if port not in _chosen and _claim(port) and is_free(port):
            _chosen.add(port)
            return port
    raise OSError("no free port was found on the loopback address")


def is_free(port: int) -> bool:
    """Return whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        # As servers do: a port whose last connections are still winding down counts as free.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
            trial.listen(1)
        except OSError:
            return False
    return True


def is_open(port: int, timeout: float = 0.2) -> bool:
    """Return whether somebody accepts connections on this loopback port; `timeout` is in seconds."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout):
            return True
    except OSError:
        return False


def _claim(port: int) -> bool:
    # A server takes seconds from choosing its port to listening on it. A lock on one byte a port, in a file
    # that all processes of this account share, keeps a second demo or test off it; the kernel frees it when
    # this process ends, however it ends.
    path = Path(tempfile.gettempdir()) / f"nexara-ports-{os.getuid()}"
    if path not in _claims:
        _claims[path] = path.open("ab")
        atexit.register(_claims[path].close)
    try:
        fcntl.lockf(_claims[path], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True
