"""What the engine is to reach on two cores, and whether it did."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.contestants import OURS
from bench.result import Result


@dataclass(frozen=True)
class Target:
    """One target: the figure it looks at, its limit, and whether more or less of it is wanted."""

    title: str
    figure: Callable[[Result], float | None]
    limit: float
    form: str
    more_is_wanted: bool

    def reached(self, value: float) -> bool:
        """Return whether a value is as wanted."""
        return value >= self.limit if self.more_is_wanted else value <= self.limit


def ours(line: str, place: int = 0) -> Callable[[Result], float | None]:
    """Return what looks up the engine's own median."""
    return lambda result: result.median(OURS, line, place)


def times(peer: str, line: str, place: int = 0) -> Callable[[Result], float | None]:
    """Return what looks up how many times a peer's median the engine's own is."""

    def ratio(result: Result) -> float | None:
        mine, theirs = result.median(OURS, line, place), result.median(peer, line, place)
        return mine / theirs if mine and theirs else None

    return ratio


def at_least(title: str, figure: Callable[[Result], float | None], limit: float, form: str = "{:,.0f}") -> Target:
    """Return a target to reach."""
    return Target(title, figure, limit, form, more_is_wanted=True)


def at_most(title: str, figure: Callable[[Result], float | None], limit: float, form: str = "{:,.0f}") -> Target:
    """Return a target to stay below."""
    return Target(title, figure, limit, form, more_is_wanted=False)


TARGETS = (
    at_least("large burst of no-op jobs, times PgQueuer", times("pgqueuer", "drain", 1), 1.3, "{:.2f}"),
    at_least("large burst of no-op jobs, times raw dramatiq", times("dramatiq", "drain", 1), 3.0, "{:.2f}"),
    at_least("jobs that each write a row, a second", ours("save"), 1500),
    at_most("commit to handler, idle, p50, ms", ours("latency"), 5, "{:.1f}"),
    at_most("commit to handler, idle, p99, ms", ours("latency", 1), 20, "{:.1f}"),
    at_least("drain beside 1,000,000 finished rows, % of empty", ours("finished", 1), 90),
    at_least("drain with the dashboard's pages open, % of the unwatched", ours("watched"), 95),
    at_least("bulk enqueue in SQL, a second", ours("bulk-sql"), 35_000),
    at_least("bulk enqueue from Python, at the speed asked of COPY, a second", ours("bulk-python"), 50_000),
    at_most("`nexara worker` with every kind, RSS, MB", ours("real"), 100),
    at_most("recovery after kill -9, p99, s", ours("recovery", 1), 10, "{:.1f}"),
)


def judged(result: Result) -> Iterator[tuple[str, str, str, str]]:
    """Yield each target, its limit, what was measured, and the verdict."""
    for target in TARGETS:
        value = target.figure(result)
        limit = f"{'≥' if target.more_is_wanted else '≤'} {target.form.format(target.limit)}"
        if value is None:
            yield target.title, limit, "", "not measured"
            continue
        verdict = "reached" if target.reached(value) else f"missed by {abs(1 - value / target.limit):.0%}"
        yield target.title, limit, target.form.format(value), "not judged: quick" if result.quick else verdict
