"""`python -m bench`: the ledger beside raw dramatiq on the same Redis, in one run, turn by turn."""

import argparse
import os
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench import enqueueing, fairness, latency
from bench.contestants import Nexara, RawDramatiq
from bench.drain import drain
from bench.kinds import DoNothing, Sleep, SleepLong, WriteRow
from bench.servers import Servers

Measure = Callable[[], float]


def main() -> None:
    """Measure everything and print one table."""
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    asked.add_argument("--runs", type=int, default=3, help="runs of each, turn by turn")
    asked.add_argument("--jobs", type=int, default=20_000, help="jobs of a no-op drain; the others take a share")
    asked.add_argument("--processes", type=int, default=2)
    asked.add_argument("--threads", type=int, default=8)
    asked.add_argument("--postgres", type=Path, help="the bin folder of another PostgreSQL than the embedded one")
    given = asked.parse_args()
    console = Console(width=110)
    with Servers(given.postgres) as servers:
        ours = Nexara(servers, given.processes, given.threads)
        raw = RawDramatiq(servers, given.processes, given.threads)
        console.print(_machine(servers, given.processes, given.threads))
        shown = Table(title=f"medians of {given.runs} runs, least to most in brackets")
        for heading in ("", "nexara", "raw dramatiq", "ratio"):
            shown.add_column(heading, justify="left" if not heading else "right")
        pairs: list[tuple[str, Measure, Measure]] = [
            (
                "drain of no-op jobs, a second",
                lambda: drain(ours, DoNothing.kind, given.jobs),
                lambda: drain(raw, DoNothing.kind, given.jobs),
            ),
            (
                "drain of jobs that write a row, a second",
                lambda: drain(ours, WriteRow.kind, given.jobs // 4),
                lambda: drain(raw, WriteRow.kind, given.jobs // 4),
            ),
            (
                f"enqueued one by one by {enqueueing.CLIENTS} clients, a second",
                lambda: enqueueing.into_the_ledger(servers, given.jobs // 4),
                lambda: enqueueing.into_redis(servers, given.jobs // 4),
            ),
            (
                "enqueued in bulk in SQL, pipelined sends, a second",
                lambda: enqueueing.many_into_the_ledger(servers, given.jobs),
                lambda: enqueueing.many_into_redis(servers, given.jobs),
            ),
            (
                "enqueued in bulk from Python, pipelined sends, a second",
                lambda: enqueueing.many_from_python(servers, given.jobs),
                lambda: enqueueing.many_into_redis(servers, given.jobs),
            ),
        ]
        for name, mine, theirs in pairs:
            pair = [(mine(), theirs()) for _ in range(given.runs)]
            shown.add_row(
                name,
                _figure([a for a, _ in pair], "{:,.0f}"),
                _figure([b for _, b in pair], "{:,.0f}"),
                _figure([a / b for a, b in pair], "{:.2f}"),
            )
            console.print(f"measured: {name}")
        waits = [
            (
                latency.p50_p95_p99(latency.of_the_ledger(servers, ours, 200)),
                latency.p50_p95_p99(latency.of_dramatiq(servers, raw, 200)),
            )
            for _ in range(given.runs)
        ]
        for place, name in enumerate(("p50", "p95", "p99")):
            shown.add_row(
                f"commit to handler, idle engine, {name}, ms",
                _figure([a[place] for a, _ in waits], "{:.1f}"),
                _figure([b[place] for _, b in waits], "{:.1f}"),
                _figure([a[place] / b[place] for a, b in waits], "{:.2f}"),
            )
        for kind, length, backfill in ((Sleep.kind, "5 ms", 100_000), (SleepLong.kind, "5 s", 200)):
            behind = [sorted(fairness.behind_a_backfill(servers, ours, kind, backfill, 20)) for _ in range(given.runs)]
            for name, place in (("median", 10), ("longest", -1)):
                shown.add_row(
                    f"behind another's {backfill:,} jobs of {length}, {name} of 20, ms",
                    _figure([waits[place] for waits in behind], "{:.0f}"),
                    "",
                    "",
                )
            console.print(f"measured: behind jobs of {length}")
        console.print(shown)


def _figure(values: list[float], form: str) -> str:
    least, most = form.format(min(values)), form.format(max(values))
    return f"{form.format(median(values))} [dim]({least} to {most})[/dim]"


def _machine(servers: Servers, processes: int, threads: int) -> str:
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f} at the start; "
        f"Python {platform.python_version()}, PostgreSQL {servers.version()} with fsync on, "
        f"dramatiq {version('dramatiq')}; {processes} worker processes of {threads} threads each"
    )


if __name__ == "__main__":
    main()
