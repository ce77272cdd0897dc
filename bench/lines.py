"""The lines of the table, in its order: one small entry each."""

from bench import drain, enqueueing, fairness, footprint, latency, real, recovery, watched
from bench.line import Figure, Line

MS = "{:,.1f}"
MB = "{:,.0f}"
SECONDS = "{:,.2f}"


def less(title: str, form: str) -> Figure:
    """Return a row of which less is better."""
    return Figure(title, form, more_is_better=False)


LINES = (
    Line("enqueue", [Figure("enqueued one by one by 8 clients, a second")], enqueueing.one_by_one),
    Line("bulk-sql", [Figure("enqueued in bulk in SQL, a second")], enqueueing.in_bulk("sql")),
    Line("bulk-python", [Figure("enqueued in bulk from Python, a second")], enqueueing.in_bulk("python")),
    Line("bulk-copy", [Figure("enqueued in bulk by COPY, a second")], enqueueing.in_bulk("copy")),
    Line(
        "drain",
        [Figure("no-op jobs drained, a small burst, a second"), Figure("the same, a large burst, a second")],
        drain.noop,
    ),
    Line("save", [Figure("jobs that each write a row, a second")], drain.saving),
    Line(
        "fair-5ms",
        [
            less("behind another business's jobs of 5 ms, median, ms", "{:,.0f}"),
            less("the same, longest, ms", "{:,.0f}"),
        ],
        fairness.behind("sleep"),
        once_for_peers=True,
    ),
    Line(
        "fair-5s",
        [
            less("behind another business's jobs of 5 s, median, ms", "{:,.0f}"),
            less("the same, longest, ms", "{:,.0f}"),
        ],
        fairness.behind("sleep_long"),
        once_for_peers=True,
    ),
    Line(
        "latency",
        [less("commit to handler, idle, p50, ms", MS), less("the same, p99, ms", MS)],
        latency.idle,
    ),
    Line(
        "latency-busy",
        [less("commit to handler, 32 enqueuers, p50, ms", MS), less("the same, p99, ms", MS)],
        latency.busy,
    ),
    Line("wal", [less("WAL a job, bytes", "{:,.0f}")], drain.wal),
    Line(
        "memory",
        [less("a worker process's memory, RSS, MB", MB), less("the same, PSS, MB", MB)],
        footprint.memory,
    ),
    Line("start", [less("a worker process's start to its first job, s", SECONDS)], footprint.start_up),
    Line(
        "real",
        [
            less("`nexara worker` with every kind, RSS, MB", MB),
            less("the same, PSS, MB", MB),
            less("its start to the end of its first job, s", SECONDS),
        ],
        real.worker,
        ours_alone=True,
    ),
    Line(
        "finished",
        [
            Figure("no-op jobs drained beside 1,000,000 finished rows, a second"),
            Figure("the same, % of an empty ledger"),
        ],
        drain.beside_finished,
        ours_alone=True,
    ),
    Line(
        "watched",
        [Figure("drain with the dashboard's pages open, % of the unwatched")],
        watched.draining,
        ours_alone=True,
    ),
    Line(
        "recovery",
        [
            less("kill -9 of a worker to its jobs' next start, p50, s", SECONDS),
            less("the same, p99, s", SECONDS),
        ],
        recovery.killed,
        once_for_peers=True,
    ),
)
