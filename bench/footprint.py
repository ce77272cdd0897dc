"""What a worker process takes: memory once it has run each kind of job, and the time until it can run the first."""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from bench.contestants import START, Contestant
from bench.drain import drained
from bench.line import Bench, Value

FIRST = 64
"""Jobs of each kind: enough that each worker gets some."""
MEGABYTE = 1e6


def memory(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return the mean RSS and PSS of a worker process in MB."""
    with engine.running() as workers:
        for kind in ("nothing", "write", "sleep", "when"):
            drained(engine, kind, FIRST)
        return memory_of([worker.pid for worker in workers])


def start_up(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return the seconds from a worker process's start to its handler's first line, of a job that waits already."""
    with engine.running(workers=0):
        subject = engine.ask("put")
        since = time.monotonic_ns()
        worker = engine.worker(0)
        worker.start()
        try:
            entered: int = engine.ask("entered", subject=subject, patience=START)
        finally:
            worker.kill()
        return [(entered - since) / 1e9]


def memory_of(pids: Sequence[int]) -> Sequence[Value]:
    """Return the mean RSS and PSS of processes in MB; only Linux tells."""
    if not Path("/proc/self/smaps_rollup").exists():
        return [None, None]
    told = [_rollup(pid) for pid in pids]
    return [mean(process[field] for process in told) for field in ("Rss", "Pss")]


def _rollup(pid: int) -> dict[str, float]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    fields = [line.split() for line in lines[1:]]
    return {name.rstrip(":"): int(kilobytes) * 1024 / MEGABYTE for name, kilobytes, *_ in fields}
