"""How fast jobs that wait are drained: from the moment at which all are visible to the end of the last."""

from collections.abc import Sequence

from bench.contestants import Contestant, Failed
from bench.line import Bench, Value

WARM = 1000
"""Jobs that run first: imports, pools, and what an engine learns of its pace."""
PATIENCE = 60.0  # seconds, after which a drain is not waited for


def noop(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return the jobs a second of a small and of a large burst."""
    with engine.running():
        warmed(engine, "nothing", bench.sizes.small)
        return [rate(engine, "nothing", count) for count in (bench.sizes.small, bench.sizes.large)]


def saving(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return the jobs a second that write one row each."""
    count = bench.sizes.written
    with engine.running():
        warmed(engine, "write", count)
        return [rate(engine, "write", count)]


def wal(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return the bytes of WAL that a job costs from enqueue to end: its own, no checkpoint having come between."""
    count = bench.sizes.small // 2
    with engine.running():
        warmed(engine, "nothing", count)
        before = _written(bench)
        drained(engine, "nothing", count, tidy=False)
        return [(_written(bench) - before) / count]


def beside_finished(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return the jobs a second with many finished rows in the ledger, and their percentage of those of an empty one."""
    count = bench.sizes.large
    with engine.running():
        warmed(engine, "nothing", count)
        empty = drained(engine, "nothing", count)
    with engine.running():
        engine.ask("finished", count=bench.sizes.finished)
        warmed(engine, "nothing", count)
        beside = drained(engine, "nothing", count)
    return [count / beside, 100 * empty / beside]


def warmed(engine: Contestant, kind: str, count: int) -> None:
    """Run some jobs before so many are measured."""
    drained(engine, kind, min(WARM, count))


def rate(engine: Contestant, kind: str, count: int) -> Value:
    """Return the jobs a second of one drain; or what they are fewer than, if it took too long."""
    taken = _drain(engine, kind, count, tidy=True)
    return f"< {count / PATIENCE:,.0f}" if taken is None else count / taken


def drained(engine: Contestant, kind: str, count: int, *, tidy: bool = True) -> float:
    """Return the seconds of one drain; raises Failed if it took too long."""
    taken = _drain(engine, kind, count, tidy=tidy)
    if taken is None:
        raise Failed(f"jobs were left after {PATIENCE:.0f} s")
    return taken


def _drain(engine: Contestant, kind: str, count: int, *, tidy: bool) -> float | None:
    taken: float | None = engine.ask("drain", kind=kind, count=count, patience=PATIENCE, tidy=tidy)
    return taken


def _written(bench: Bench) -> int:
    row = bench.admin.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").fetchone()
    assert row is not None
    return int(row[0])
