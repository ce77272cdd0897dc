"""How fast jobs that wait are drained: from the moment at which all are visible to the end of the last."""

from collections.abc import Sequence

from bench.contestants import LONGEST, Contestant
from bench.line import Bench, Value

WARM = 1000
"""Jobs that run first: imports, pools, and what an engine learns of its pace."""
PATIENCE = 120.0  # seconds


def noop(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return the jobs a second of a small and of a large burst."""
    small, large = bench.sizes.small, bench.sizes.large
    with engine.running():
        drained(engine, "nothing", min(WARM, small))
        first = small / drained(engine, "nothing", small)
        return [first, large / drained(engine, "nothing", large)]


def saving(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return the jobs a second that write one row each."""
    count = bench.sizes.written
    with engine.running():
        drained(engine, "write", min(WARM, count))
        return [count / drained(engine, "write", count)]


def wal(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return the bytes of WAL that a job costs from enqueue to end: its own, no checkpoint having come between."""
    count = bench.sizes.small // 2
    with engine.running():
        drained(engine, "nothing", min(WARM, count))
        before = _written(bench)
        drained(engine, "nothing", count, tidy=False)
        return [(_written(bench) - before) / count]


def beside_finished(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return the jobs a second with many finished rows in the ledger, and their percentage of those of an empty one."""
    count = bench.sizes.large
    with engine.running():
        drained(engine, "nothing", min(WARM, count))
        empty = drained(engine, "nothing", count)
    with engine.running():
        engine.ask("finished", count=bench.sizes.finished)
        drained(engine, "nothing", min(WARM, count))
        beside = drained(engine, "nothing", count)
    return [count / beside, 100 * empty / beside]


def drained(engine: Contestant, kind: str, count: int, *, tidy: bool = True) -> float:
    """Return the seconds of one drain."""
    taken: float = engine.ask("drain", kind=kind, count=count, patience=PATIENCE, tidy=tidy, within=LONGEST)
    return taken


def _written(bench: Bench) -> int:
    row = bench.admin.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").fetchone()
    assert row is not None
    return int(row[0])
