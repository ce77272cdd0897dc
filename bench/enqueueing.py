"""How fast jobs are enqueued: one by one by some clients at once, and many by one client."""

from collections.abc import Callable, Sequence

from bench.contestants import Contestant
from bench.line import Bench, Value

CLIENTS = 8


def one_by_one(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return the calls a second, a commit each."""
    count = bench.sizes.enqueued
    taken = engine.ask("each", kind="nothing", count=count, clients=CLIENTS)
    engine.forget()
    return [count / taken]


def in_bulk(way: str) -> Callable[[Bench, Contestant], Sequence[Value]]:
    """Return what measures the jobs a second that one client enqueues in one way: sql, python or copy."""

    def measure(bench: Bench, engine: Contestant) -> Sequence[Value]:
        count = bench.sizes.bulk
        taken = engine.ask("bulk", way=way, count=count)
        engine.forget()
        return [count / taken]

    return measure
