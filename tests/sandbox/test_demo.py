"""The two commands a newcomer runs, as they run them: what they print, what they serve, and that nothing is left."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

from sandbox import samples

ROOT = Path(__file__).parents[2]
CALLS, CHATS = len(samples.calls()), len(samples.chats())
PORTS = f"nexara-ports-{os.getuid()}"


class Running:
    """A command of ours in a fresh folder, in which all that it starts has its temporary files, too."""

    def __init__(self, folder: Path, *command: str) -> None:
        (folder / "tmp").mkdir()
        # All processes of this account choose their ports by one file.
        shared = Path(tempfile.gettempdir()) / PORTS
        shared.touch()
        (folder / "tmp" / PORTS).symlink_to(shared)
        self.folder = folder
        self.said = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nexara", *command],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "HOME": str(folder / "tmp"),
                "TMPDIR": str(folder / "tmp"),
                "COLUMNS": "80",
                "PYTHONUNBUFFERED": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as out:
            for line in out:
                self.said += line

    def wait_for(self, words: str, deadline: float = 90) -> None:
        end = monotonic() + deadline
        while words not in self.said:
            assert self.process.poll() is None, self.said
            assert monotonic() < end, self.said
            sleep(0.02)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.end(40)

    def end(self, deadline: float) -> int:
        status = self.process.wait(deadline)
        self._reader.join(10)
        return status

    def left(self) -> list[str]:
        """Return the command lines of the processes that know this folder, by their command, environment or place."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                told = process.joinpath("cmdline").read_bytes()
                knows = (
                    told + process.joinpath("environ").read_bytes() + os.fsencode(process.joinpath("cwd").readlink())
                )
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if os.fsencode(self.folder) in knows and told:
                found.append(told.replace(b"\0", b" ").decode())
        return found


Run = Callable[..., Running]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    started: list[Running] = []

    def running(*command: str) -> Running:
        started.append(Running(tmp_path, *command))
        return started[-1]

    yield running
    for each in started:
        each.process.kill()  # what it started ends with it
        each.end(10)


def nothing_is_left(running: Running) -> None:
    assert running.left() == []
    assert [path.name for path in (running.folder / "tmp").iterdir()] == [PORTS]
    assert "Traceback" not in running.said


def the_table(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith(("┏", "┃", "┡", "│", "├", "└"))]


def got_there(running: Running, expected: int) -> None:
    assert f"All {expected} conversations got there, in " in running.said, running.said
    assert len([line for line in running.said.splitlines() if line.startswith("✓ ")]) == expected
    shown = the_table(running.said)
    assert shown
    assert {len(line) for line in shown} == {80}
    assert "not complete" not in running.said
    assert len(re.findall(r"│ (1 of 1|2 of 2) │", running.said)) == expected


def test_a_demo_that_ends_by_itself_hears_a_call_reads_the_chats_and_leaves_nothing(run: Run) -> None:
    pytest.importorskip("faster_whisper", reason="the speech extra is not installed")
    demo = run("demo", "--once", "--calls", "1")
    assert demo.end(110) == 0, demo.said
    assert "Loaded two businesses with 1 recorded calls and 4 chats." in demo.said
    got_there(demo, 1 + CHATS)
    assert str(samples.calls()[0].lead.name) in demo.said, "what was said was heard"
    nothing_is_left(demo)


@pytest.mark.chaos
@pytest.mark.timeout(400)
def test_the_whole_demo_gets_every_conversation_there(run: Run) -> None:
    demo = run("demo", "--once")
    assert demo.end(380) == 0, demo.said
    got_there(demo, CALLS + CHATS)
    assert re.search(r"^ +\d+ s: \d+ of 11 in words, \d+ of 11 told of by mail$", demo.said, re.MULTILINE)
    nothing_is_left(demo)


@pytest.mark.parametrize("moment", ["Starting PostgreSQL", "Starting dispatcher"])
def test_a_demo_interrupted_while_it_starts_leaves_nothing_and_is_no_success(run: Run, moment: str) -> None:
    demo = run("demo", "--once")
    demo.wait_for(moment)
    assert demo.interrupt() == 130, demo.said
    assert demo.said.endswith("Stopped.\n")
    nothing_is_left(demo)


def test_up_serves_the_dashboard_and_the_inbox_until_it_is_told_to_stop(run: Run) -> None:
    up = run("up")
    up.wait_for("Ctrl-C stops everything.")
    dashboard, inbox = (match[1] for match in re.finditer(r"(?:dashboard|mail) +(http://127\.0\.0\.1:\d+)", up.said))
    with urllib.request.urlopen(f"{dashboard}/healthz", timeout=10) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(inbox, timeout=10) as answer:
        assert answer.status == 200
        assert "text/html" in answer.headers["content-type"]
    assert up.left()
    assert up.interrupt() == 0
    assert up.said.endswith("Stopped.\n")
    nothing_is_left(up)
    assert (up.folder / ".nexara" / "postgres" / "data" / "PG_VERSION").exists(), "what was there is there again"
