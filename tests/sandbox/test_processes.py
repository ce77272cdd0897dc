"""The set of processes that `nexara up` keeps running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.child import DidNotStart
from sandbox.ports import free_port
from sandbox.processes import Supervisor
from sandbox.program import Program

ROOT = Path(__file__).parents[2]

SLEEP = "import time; time.sleep(600)"
SAYS_STOPPED = (
    "import signal, sys, time; "
    "signal.signal(signal.SIGTERM, lambda *_: (print(sys.argv[1], flush=True), sys.exit())); "
    "print('ready', flush=True); time.sleep(600)"
)
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
PARENT = (
    "import pathlib, subprocess, sys; child = subprocess.Popen(['sleep', '600']); "
    "pathlib.Path(sys.argv[1]).write_text(str(child.pid)); child.wait()"
)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def supervisor(told: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(told.append)
    yield supervisor
    supervisor.kill()
    supervisor.stop()


def program(log: Path, code: str = SLEEP, *, name: str = "one", grace: float = 10, port: int | None = None) -> Program:
    return Program(name, [sys.executable, "-c", code, name], env={}, log=log, grace=grace, port=port)


def wait_for(true: Callable[[], bool], deadline: float = 10) -> None:
    until = time.monotonic() + deadline
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_member_that_dies_starts_again_and_people_are_told(
    supervisor: Supervisor, told: list[str], tmp_path: Path
) -> None:
    one = program(tmp_path / "log")
    supervisor.start(one)
    first = one.pid
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: one.pid != first and one.alive())
    assert told == ["one ended; it starts again in 0.5 s"]
    assert supervisor.missing() == []


def test_a_member_that_keeps_dying_is_started_ever_more_slowly(
    supervisor: Supervisor, told: list[str], tmp_path: Path
) -> None:
    supervisor.start(program(tmp_path / "log", "raise SystemExit(3)"))
    wait_for(lambda: len(told) >= 3)
    assert told[:3] == [f"one ended; it starts again in {pause} s" for pause in ("0.5", "1", "2")]


def test_members_stop_in_the_reverse_order(supervisor: Supervisor, tmp_path: Path) -> None:
    log = tmp_path / "log"
    for number, name in enumerate(("first", "second", "third"), start=1):
        supervisor.start(program(log, SAYS_STOPPED, name=name))
        wait_for(lambda: log.read_text().count("ready") == number)  # noqa: B023  called at once
    supervisor.stop()
    assert log.read_text().split()[3:] == ["third", "second", "first"]


def test_who_does_not_stop_in_time_is_killed(supervisor: Supervisor, tmp_path: Path) -> None:
    deaf = program(tmp_path / "log", DEAF, grace=0.3)
    supervisor.start(deaf)
    wait_for(lambda: "ready" in (tmp_path / "log").read_text())
    supervisor.stop()
    assert not deaf.alive()


def test_what_a_member_started_goes_with_it(supervisor: Supervisor, tmp_path: Path) -> None:
    child = tmp_path / "child"
    argv = [sys.executable, "-c", PARENT, child]
    supervisor.start(Program("parent", argv, env=dict(os.environ), log=tmp_path / "log"))
    wait_for(lambda: child.exists() and child.read_text() != "")
    supervisor.stop()
    stat = Path(f"/proc/{child.read_text()}/stat")
    wait_for(lambda: not stat.exists() or stat.read_text().split()[2] == "Z")


def test_the_first_start_tells_its_error_to_the_caller(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        supervisor.start(program(tmp_path / "missing" / "log"))


def test_waiting_for_a_member_that_died_shows_the_end_of_its_log(supervisor: Supervisor, tmp_path: Path) -> None:
    broken = program(tmp_path / "log", "raise SystemExit('the key is missing')", port=free_port())
    supervisor.start(broken)
    with pytest.raises(DidNotStart, match="the key is missing"):
        broken.wait_until_open()


UP = """
import signal, sys, time
from pathlib import Path
from sandbox.processes import Supervisor, until_told
from sandbox.program import Program
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored, if this runs under nohup
code, log, grace = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
supervisor = Supervisor()
try:
    with until_told(supervisor):
        argv = [sys.executable, "-c", code, "stopped"]
        supervisor.start(Program("one", argv, env={}, log=log, grace=grace))
        while "ready" not in log.read_text():
            time.sleep(0.02)
        print("up", flush=True)
        time.sleep(600)
except KeyboardInterrupt:
    print("told", supervisor.missing(), flush=True)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def up(log: Path) -> Iterator[Callable[[str, float], subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(code: str, grace: float) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", UP, code, str(log), str(grace)],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_to_the_group_stops_each_member_once(
    number: signal.Signals, up: Callable[[str, float], subprocess.Popen[str]], log: Path
) -> None:
    process = up(SAYS_STOPPED, 10)
    os.killpg(process.pid, number)
    said, _ = process.communicate(timeout=30)
    assert said == "told ['one']\n"
    assert process.returncode == 0
    assert log.read_text().split() == ["ready", "stopped"]


def test_a_second_signal_kills_what_will_not_stop(up: Callable[[str, float], subprocess.Popen[str]]) -> None:
    process = up(DEAF, 600)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert said == "told ['one']\n"
