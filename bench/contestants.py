"""The engines of the table, and what drives each: a process that measures, worker processes, and time limits."""

import json
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.peers.control import Lacks
from bench.peers.peer import SHORT
from bench.peers.place import Place
from bench.servers import ROOT, Servers, plain
from sandbox.child import last_lines, leashed
from sandbox.program import Program

LEFT_OVER = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()
"""
PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
START = 60.0  # seconds that processes are given to be ready
SETTLE = 0.5  # seconds that fresh processes are given to connect
LONGEST = 180.0  # seconds that any one question may take


class Failed(Exception):
    """An engine could not be measured; the message says why, in a few words."""


@dataclass(frozen=True)
class Entrant:
    """One engine: its module in bench/peers, what the table calls it, its processes beside the workers."""

    name: str
    title: str
    helpers: tuple[str, ...] = ()
    by_hand: str = ""
    """Why the jobs of a killed worker wait for somebody, if they do."""


ENTRANTS = (
    Entrant("nexara", "nexara", helpers=("dispatch",)),
    Entrant("dramatiq", "raw dramatiq"),
    Entrant("celery", "Celery"),
    Entrant("procrastinate", "Procrastinate", by_hand="by hand"),
    Entrant("pgqueuer", "PgQueuer"),
    Entrant("awa", "awa-pg"),
)
OURS = "nexara"


class Contestant:
    """One engine under measurement, with files and a Redis database of its own."""

    def __init__(self, entrant: Entrant, servers: Servers, python: Path, processes: int, threads: int) -> None:
        self.entrant = entrant
        self.processes = processes
        self.threads = threads
        self._servers = servers
        self._folder = servers.folder / entrant.name
        self._ready = self._folder / "ready"
        self._ready.mkdir(parents=True)
        self._place = self._folder / "place.json"
        self._log = self._folder / "control.log"
        self._argv = [sys.executable if entrant.name == OURS else str(python), "-m", f"bench.peers.{entrant.name}"]
        self._control: subprocess.Popen[str] | None = None
        self._installed = False
        self.redis = servers.redis.url(1 + ENTRANTS.index(entrant))
        Place(
            database=servers.admin_url,
            worker_database=servers.url("nexara_worker"),
            web_database=plain(servers.url("nexara_web")),
            redis=self.redis,
            entries=str(self._folder / "entries"),
            ready=str(self._ready),
            business=servers.business,
        ).write(self._place)

    @property
    def name(self) -> str:
        """Return its name."""
        return self.entrant.name

    def ask(self, do: str, *, within: float = LONGEST, **given: Any) -> Any:
        """Have its own process measure something; raises Lacks, or Failed with the reason."""
        control = self._started()
        assert control.stdin is not None
        try:
            control.stdin.write(json.dumps({"do": do, **given}) + "\n")
            control.stdin.flush()
            line = self._line(control, within)
        except (BrokenPipeError, TimeoutError) as error:
            self.close()
            raise Failed(str(error) or _end(self._log)) from error
        if not line:
            self.close()
            raise Failed(_end(self._log))
        answer = json.loads(line)
        if "lacks" in answer:
            raise Lacks(answer["lacks"])
        if "failed" in answer:
            raise Failed(answer["failed"])
        return answer["answer"]

    @contextmanager
    def running(self, profile: str = SHORT, workers: int | None = None) -> Iterator[list[Program]]:
        """Keep its processes for as long as the block lasts; yields the workers. Its jobs are forgotten after it."""
        self._started()  # which makes its tables, if that was not done yet
        programs = [self._program(helper, helper) for helper in self.entrant.helpers]
        started = [self.worker(n, profile) for n in range(self.processes if workers is None else workers)]
        try:
            for program in [*programs, *started]:
                program.start()
            self._wait_until_ready([*programs, *started])
            time.sleep(SETTLE)
            yield started
        finally:
            # Jobs of minutes may be in hand, and no figure depends on how they end.
            for program in [*started, *programs]:
                program.kill()
            self._end_what_they_asked()
            self.forget()

    def _end_what_they_asked(self) -> None:
        """End the statements of killed processes: the server goes on with them, for minutes, in the next one's turn."""
        with psycopg.connect(self._servers.admin_url, autocommit=True) as admin:
            admin.execute(LEFT_OVER)

    def worker(self, number: int, profile: str = SHORT) -> Program:
        """Return one more worker process, not yet started."""
        return self._program(f"worker-{number}", "work", str(self.threads), profile)

    def forget(self) -> None:
        """Take away its jobs."""
        self.ask("forget")

    def close(self) -> None:
        """End its own process."""
        if self._control is not None:
            self._control.kill()
            self._control.wait()
            self._control = None

    def _program(self, name: str, *command: str) -> Program:
        argv = [*self._argv, str(self._place), *command]
        log = self._folder / f"{name}.log"
        return Program(name, argv, env=self._servers.environment(), log=log, cwd=self._folder, grace=10)

    def _wait_until_ready(self, programs: list[Program]) -> None:
        until = time.monotonic() + START
        while not all((self._ready / str(program.pid)).exists() for program in programs):
            for program in programs:
                if not program.alive():
                    raise Failed(f"{program.name} ended: {_end(program.log)}")
            if time.monotonic() > until:
                raise Failed(f"not ready after {START:.0f} s")
            time.sleep(0.02)

    def _started(self) -> "subprocess.Popen[str]":
        if self._control is None:
            if not Path(self._argv[0]).exists():
                raise Failed("not installed: `make bench` does it")
            with self._log.open("ab") as log:
                self._control = subprocess.Popen(
                    leashed([*self._argv, str(self._place), "control"]),
                    env=self._servers.environment(),
                    cwd=self._folder,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    start_new_session=True,
                )
            if not self._installed:
                self._installed = True
                self.ask("install")
        return self._control

    def _line(self, control: "subprocess.Popen[str]", within: float) -> str:
        assert control.stdout is not None
        with selectors.DefaultSelector() as selector:
            # It answers each question with one line, so nothing is left in the buffer between two.
            selector.register(control.stdout, selectors.EVENT_READ)
            if not selector.select(within):
                raise TimeoutError(f"no answer within {within:.0f} s")
        return control.stdout.readline()


def _end(log: Path) -> str:
    return last_lines(log, 1).strip() or "it ended without a word"
