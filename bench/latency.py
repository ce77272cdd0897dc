"""How long it takes from the enqueuer's commit to the handler's first line."""

from collections.abc import Sequence
from statistics import quantiles

from bench.contestants import Contestant
from bench.line import Bench, Value

GAP = 0.02  # seconds between two jobs
WARM = 20
CLIENTS, EVERY = 32, 0.16  # so many enqueuers, each a job so many seconds: 200 a second, which every engine can keep up
PATIENCE = 20.0  # seconds


def idle(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return p50 and p99 in ms, one job at a time on an idle engine."""
    with engine.running():
        waits = engine.ask("waits", count=WARM + bench.sizes.latencies, gap=GAP, patience=PATIENCE)
        return _p50_p99(waits[WARM:])


def busy(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return p50 and p99 in ms, while many clients enqueue at once."""
    with engine.running():
        engine.ask("waits", count=WARM, gap=GAP, patience=PATIENCE)
        lasting = bench.sizes.lasting
        return _p50_p99(engine.ask("offered", clients=CLIENTS, every=EVERY, lasting=lasting, patience=PATIENCE))


def _p50_p99(waits: Sequence[float]) -> Sequence[Value]:
    cuts = quantiles(waits, n=100, method="inclusive")
    return [cuts[49], cuts[98]]
