"""How long one business's job waits behind another's backfill: from its commit to its handler's first line."""

from collections.abc import Callable, Sequence
from statistics import median

from bench.contestants import Contestant
from bench.line import Bench, Value
from bench.peers.peer import SLOTS

GAP = 0.25  # seconds between two jobs of the other business
SETTLED = 2.0  # seconds for which the backfill runs before the first of them
LONG_SHARE = 500
"""A backfill of jobs of five seconds is so many times smaller: it lasts as long."""


def behind(kind: str) -> Callable[[Bench, Contestant], Sequence[Value]]:
    """Return what measures the median and the longest wait in ms, all in one queue and priority."""

    def measure(bench: Bench, engine: Contestant) -> Sequence[Value]:
        sizes = bench.sizes
        backfill = sizes.backfill if kind == "sleep" else max(100, sizes.backfill // LONG_SHARE)
        with engine.running(SLOTS):
            waits = engine.ask(
                "behind",
                kind=kind,
                backfill=backfill,
                count=sizes.behind,
                gap=GAP,
                settle=SETTLED,
                patience=sizes.patience,
            )
        over = f"> {sizes.patience:.0f} s"
        heard = [wait for wait in waits if wait is not None]
        if len(heard) <= len(waits) // 2:
            return [over, over]
        return [median(wait if wait is not None else 1e12 for wait in waits), max(waits) if None not in waits else over]

    return measure
