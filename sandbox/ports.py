"""Choose loopback ports that nobody listens on."""

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"

# Below the ephemeral range of Linux and macOS, so that no outgoing connection takes a port while its
# server is down for a restart.
LOWEST, HIGHEST = 20_000, 32_000
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port(prefer: int | None = None) -> int:
    """Return `prefer` if it is free, else a random free port on the loopback address."""
    if prefer is not None and is_free(prefer):
        return prefer
    highest = min(HIGHEST, _first_ephemeral() - 1)
    for _ in range(1_000):
        port = random.randint(min(LOWEST, highest - 2_000), highest)
        if is_free(port):
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


def _first_ephemeral() -> int:
    try:
        return int(EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return HIGHEST + 1
