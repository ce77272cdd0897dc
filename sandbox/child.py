"""One child process of ours, which never outlives this one."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")


class DidNotStart(Exception):
    """A server of the sandbox ended, or stayed silent, before it was ready."""


class Child:
    """A running program in a session of its own, so that a Ctrl-C in the terminal reaches its owner alone.

    On Linux it dies with the *thread* that started it: start it from one that lives as long as it should.
    `last_words` is the signal it gets when this process is gone.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        log: Path,
        cwd: Path | None = None,
        user: str | None = None,
        last_words: signal.Signals = signal.SIGKILL,
    ) -> None:
        with log.open("ab") as out:
            self._popen = subprocess.Popen(
                leashed(argv, user=user, last_words=last_words),
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._swept = False

    @property
    def pid(self) -> int:
        """Return the process id, which is the program's own."""
        return self._popen.pid

    def alive(self) -> bool:
        """Return whether it still runs."""
        if self._popen.poll() is None:
            return True
        self._sweep()
        return False

    def wait(self, timeout: float | None = None) -> int | None:
        """Return the exit status, negative for a signal, or None if it runs on after `timeout` seconds."""
        try:
            status = self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self._sweep()
        return status

    def send(self, what: signal.Signals) -> None:
        """Send it a signal; nothing happens if it has ended."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, what)

    def stop(self, how: signal.Signals = signal.SIGTERM, deadline: float = 10) -> None:
        """Ask it to end, and kill it with what it started after `deadline` seconds."""
        self.send(how)
        if self.wait(deadline) is None:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a crash would, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self.wait()

    def _sweep(self) -> None:
        # What it started and left behind is in its group. Only once: later the number may be a stranger's.
        if not self._swept:
            self._swept = True
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)


def leashed(
    argv: Sequence[str | Path], *, user: str | None = None, last_words: signal.Signals = signal.SIGKILL
) -> list[str]:
    """Return the command that runs `argv` tied to this process."""
    command = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(int(last_words)), user or "-"]
    return command + [str(part) for part in argv]


def last_lines(log: Path, count: int = 15) -> str:
    """Return the end of a log file, empty if there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
    except FileNotFoundError:
        return ""
