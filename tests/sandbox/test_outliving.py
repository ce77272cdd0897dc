"""Nothing that the sandbox starts outlives it, not even when it is killed with -9."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def owner(script: str, folder: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a process that starts others, and return it with their ids once it has printed them."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(folder)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, [int(pid) for pid in process.stdout.readline().split()]


def runs(pid: int) -> bool:
    # A process that ended counts as gone even where nobody collects it.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        pass
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def users_of(folder: Path) -> list[int]:
    """Return the processes whose command line names the folder."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in command.read_bytes():
                found.append(int(command.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return [pid for pid in found if runs(pid)]


def await_end(pids: list[int], deadline: float = 15) -> list[int]:
    until = time.monotonic() + deadline
    while (left := [pid for pid in pids if runs(pid)]) and time.monotonic() < until:
        time.sleep(0.05)
    return left


SERVERS = """
    import sys, time
    from pathlib import Path
    from sandbox.postgres import Postgres
    from sandbox.redis import Redis
    from sandbox.storage import Storage
    servers = [kind(Path(sys.argv[1])) for kind in (Postgres, Redis, Storage)]
    for server in servers:
        server.start()
    print(*(server.pid for server in servers), flush=True)
    time.sleep(600)
"""

SUPERVISED = """
    import os, sys, time
    from pathlib import Path
    from sandbox.processes import Supervisor
    from sandbox.program import Program
    supervisor = Supervisor()
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    log = Path(sys.argv[1]) / "log"
    argv = [sys.executable, "-c", stubborn, sys.argv[1]]
    programs = [Program(str(number), argv, env={}, log=log) for number in range(3)]
    for program in programs:
        supervisor.start(program)
    print(*(program.pid for program in programs), flush=True)
    time.sleep(600)
"""

WITHOUT_THE_KERNEL = """
    import os, subprocess, sys, time
    from pathlib import Path
    program = subprocess.Popen([
        sys.executable, "-c",
        "import os, sys; from sandbox import leash;"
        "leash.main([sys.argv[1], '9', '-', '/bin/sleep', '600'], kernel_helps=False)",
        str(os.getpid()),
    ])
    while Path(f"/proc/{program.pid}/cmdline").read_text() != "/bin/sleep\\x00600\\x00":
        time.sleep(0.02)
    print(program.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("script", [SERVERS, SUPERVISED, WITHOUT_THE_KERNEL], ids=["servers", "programs", "watcher"])
def test_nothing_outlives_an_owner_killed_with_9(script: str, tmp_path: Path) -> None:
    process, pids = owner(script, tmp_path)
    try:
        assert pids
        assert all(runs(pid) for pid in pids)
        others = [pid for pid in users_of(tmp_path) if pid != process.pid]
    finally:
        process.kill()
        process.wait()
        process.communicate()
    assert await_end(pids + others) == []
    assert users_of(tmp_path) == []


def test_a_program_whose_owner_has_already_gone_does_not_start(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    leash = str(ROOT / "sandbox" / "leash.py")
    mark = tmp_path / "mark"
    ended = subprocess.run(
        [
            sys.executable,
            "-I",
            leash,
            str(gone.pid),
            str(int(signal.SIGKILL)),
            "-",
            "/usr/bin/touch",
            str(mark),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "the owner has gone" in ended.stderr
    assert not mark.exists()
