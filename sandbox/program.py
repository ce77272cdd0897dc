"""A command of ours as one supervised process."""

import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.child import Child, DidNotStart, last_lines
from sandbox.ports import is_open


class Program:
    """A named command, its environment and log; `port` is where it answers, `grace` its seconds to end."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        log: Path,
        cwd: Path | None = None,
        port: int | None = None,
        grace: float = 10,
    ) -> None:
        self.name = name
        self.log = log
        self.port = port
        self._argv = argv
        self._env = env
        self._cwd = cwd
        self._grace = grace
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """Return the process id of the last start."""
        if self._child is None:
            raise DidNotStart(f"{self.name} was not started")
        return self._child.pid

    def start(self) -> None:
        """Start it and return at once."""
        self._child = Child(self._argv, env=self._env, log=self.log, cwd=self._cwd)

    def wait_until_open(self, deadline: float = 60) -> None:
        """Return once its port accepts connections.

        Raises DidNotStart, with the end of its log, if it ends first or `deadline` seconds pass.
        """
        until = time.monotonic() + deadline
        while self.port is not None and not is_open(self.port):
            if not self.alive() or time.monotonic() > until:
                raise DidNotStart(f"{self.name} did not start; its log ends:\n{last_lines(self.log)}")
            time.sleep(0.05)

    def alive(self) -> bool:
        """Return whether it runs."""
        return self._child is not None and self._child.alive()

    def stop(self) -> None:
        """Ask it to end, and kill it and what it started when its grace is over."""
        if self._child is not None:
            self._child.stop(signal.SIGTERM, self._grace)

    def kill(self) -> None:
        """Kill -9 it."""
        if self._child is not None:
            self._child.kill()
