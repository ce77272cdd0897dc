"""How long the jobs of a worker that was killed wait until they run again."""

import time
from collections import Counter
from collections.abc import Sequence
from statistics import quantiles

from bench.contestants import LONGEST, OURS, Contestant
from bench.line import Bench, Value
from bench.peers.peer import SLOTS

PATIENCE = 20.0  # seconds until all are in hand


def killed(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return p50 and p99 in seconds from kill -9 to the jobs' next entry.

    They are half as many as one worker has threads: whoever takes them over has threads to spare, also where one
    business may not have all of them.
    """
    if engine.entrant.by_hand:
        return [engine.entrant.by_hand] * 2
    patience = bench.sizes.recovered
    taken: list[float] = []
    for _ in range(bench.sizes.kills if engine.name == OURS else 1):
        once = _kill(engine, patience)
        if not once:
            over = f"not in {patience:.0f} s"
            return [over, over]
        taken += once
    cuts = quantiles(taken, n=100, method="inclusive") if len(taken) > 1 else taken * 99
    return [cuts[49], cuts[98]]


def _kill(engine: Contestant, patience: float) -> list[float]:
    """Return the seconds after which each job of one killed worker was entered again; none if one never was."""
    with engine.running(SLOTS) as workers:
        held = engine.ask("hold", count=engine.threads // 2, patience=PATIENCE)
        victim = Counter(held.values()).most_common(1)[0][0]
        lost = [subject for subject, pid in held.items() if pid == victim]
        since = time.monotonic_ns()
        next(worker for worker in workers if worker.pid == victim).kill()
        taken: list[float] = engine.ask("again", subjects=lost, since=since, patience=patience, within=LONGEST)
    return taken if len(taken) == len(lost) else []
