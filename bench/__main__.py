"""`python -m bench`: the engine and its peers on the same servers, in one run, turn by turn."""

import argparse
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import psycopg
from rich.console import Console

from bench.contestants import ENTRANTS, OURS, PEERS_PYTHON, Contestant, Failed
from bench.line import Bench, Line, Sizes
from bench.lines import LINES
from bench.peers.control import Lacks
from bench.result import Cell, Result, Row
from bench.servers import Servers
from bench.table import markdown, show

BUDGET = 45.0  # seconds an engine may spend on a line before it gets no further round of it


def main() -> None:
    """Measure what is asked for and print one table."""
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers' folder is removed all the same
    console = Console(width=None if Console().is_terminal else 170)
    shown: Path | None = given.show
    result = Result.read(json.loads(shown.read_text(encoding="utf-8"))) if shown else _measure(given, console)
    if given.markdown:
        print(markdown(result))
    else:
        show(result, console)


def _arguments() -> argparse.Namespace:
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    lines, engines = [line.key for line in LINES], [entrant.name for entrant in ENTRANTS]
    asked.add_argument("--only", type=_among(lines), default=lines, help=f"some lines, with commas: {', '.join(lines)}")
    asked.add_argument("--peers", type=_among(engines), default=engines, help=f"some engines: {', '.join(engines)}")
    asked.add_argument("--quick", action="store_true", help="small sizes and one round: shows that it runs, in seconds")
    asked.add_argument("--rounds", type=int, help="rounds of each, turn by turn; 3, or 1 if quick")
    asked.add_argument("--processes", type=int, default=2)
    asked.add_argument("--threads", type=int, default=8)
    asked.add_argument("--postgres", type=Path, help="the bin folder of another PostgreSQL than the embedded one")
    asked.add_argument("--peers-python", type=Path, default=PEERS_PYTHON, help="the Python of the peers' venv")
    asked.add_argument("--keep", action="store_true", help="keep the folder with every process's log, and say where")
    asked.add_argument("--json", type=Path, metavar="FILE", help="write every value of every round there, too")
    asked.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    asked.add_argument("--show", type=Path, metavar="FILE", help="measure nothing, print what --json wrote")
    return asked.parse_args()


def _among(known: Sequence[str]) -> Callable[[str], list[str]]:
    def names(given: str) -> list[str]:
        wanted = given.split(",")
        if strange := sorted(set(wanted) - set(known)):
            raise argparse.ArgumentTypeError(f"there is no {', '.join(strange)}; there are {', '.join(known)}")
        return [name for name in known if name in wanted]

    return names


def _measure(given: argparse.Namespace, console: Console) -> Result:
    rounds = given.rounds or (1 if given.quick else 3)
    entrants = [entrant for entrant in ENTRANTS if entrant.name in given.peers]
    with (
        Servers(given.postgres, keep=given.keep) as servers,
        psycopg.connect(servers.admin_url, autocommit=True) as admin,
    ):
        if given.keep:
            console.print(f"logs: {servers.folder}")
        bench = Bench(servers, Sizes.quick() if given.quick else Sizes.full(), admin)
        result = Result(_machine(servers, given), rounds, given.quick, {e.name: e.title for e in entrants})
        engines = [Contestant(e, servers, given.peers_python, given.processes, given.threads) for e in entrants]
        try:
            for line in LINES:
                if line.key in given.only:
                    since = time.monotonic()
                    result.rows += _line(bench, line, engines, rounds)
                    _write(given, result)  # what was measured is kept, whatever becomes of the rest
                    console.print(f"[dim]{line.key}: {time.monotonic() - since:.0f} s[/dim]")
        finally:
            for engine in engines:
                engine.close()
    return result


def _write(given: argparse.Namespace, result: Result) -> None:
    if given.json:
        given.json.write_text(json.dumps(result.as_json(), indent=1) + "\n", encoding="utf-8")


def _line(bench: Bench, line: Line, engines: Sequence[Contestant], rounds: int) -> list[Row]:
    """Measure one line, round by round, each engine in its turn."""
    rows = [Row(line.key, figure, {}) for figure in line.figures]
    spent = dict.fromkeys((engine.name for engine in engines), 0.0)
    for turn in range(rounds):
        for engine in engines:
            ours = engine.name == OURS
            if (line.ours_alone and not ours) or (line.once_for_peers and not ours and turn):
                continue
            cells = [row.cells.setdefault(engine.name, Cell()) for row in rows]
            if spent[engine.name] > BUDGET or cells[0].failed:
                continue
            since = time.monotonic()
            try:
                for cell, value in zip(cells, line.measure(bench, engine), strict=True):
                    cell.values.append(value)
            except Lacks:
                spent[engine.name] = float("inf")
            except Exception as error:  # noqa: BLE001 - one engine's failure is its cell's, and no other's
                told = str(error) if isinstance(error, Failed) else repr(error)
                for cell in cells:
                    cell.failed = " ".join(told.split())[:120]
            spent[engine.name] += time.monotonic() - since
    return rows


def _machine(servers: Servers, given: argparse.Namespace) -> str:
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f} at the start, "
        f"Python {platform.python_version()}, PostgreSQL {servers.postgres.version()} with fsync on, "
        f"dramatiq {version('dramatiq')}, {given.processes} worker processes of {given.threads} threads each"
    )


if __name__ == "__main__":
    main()
