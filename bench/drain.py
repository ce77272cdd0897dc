"""How fast jobs that wait are drained: from the moment at which all become visible to the end of the last."""

import time

from bench.contestants import Contestant, finish, running

WARM = 1000
"""Jobs that run first: imports, pools and the moving averages of budget and depth."""


def drain(contestant: Contestant, kind: str, count: int) -> float:
    """Return the jobs a second of one run."""
    with running(contestant):
        contestant.load(kind, min(WARM, count))()
        finish(contestant)
        go = contestant.load(kind, count)
        since = time.monotonic()
        go()
        finish(contestant)
        return count / (time.monotonic() - since)
