"""When to try again: a pure function of the attempt."""

import random
from datetime import timedelta

BASE = timedelta(seconds=5)
LONGEST = timedelta(hours=1)
PAUSE_UNTOLD = timedelta(seconds=30)  # a vendor asked for a pause and did not say how long
SHORTEST_PAUSE = timedelta(seconds=1)  # "after 0 seconds" would be asked again ten times a second
LONGEST_PAUSE = timedelta(minutes=15)  # a vendor that asks for more is asked again after this


def backoff(attempt: int, draw: random.Random) -> timedelta:
    """Return the wait after the attempt of this number, from 1 on: full jitter under a doubling ceiling.

    Full jitter spreads a crowd that failed together: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter
    """
    ceiling: timedelta = min(LONGEST, BASE * (1 << min(attempt - 1, 16)))
    return ceiling * draw.uniform(0.1, 1.0)


def asked(retry_after: float | None) -> timedelta:
    """Return the pause that a vendor asked for, in seconds, as long as we believe it."""
    told = PAUSE_UNTOLD.total_seconds() if retry_after is None else max(SHORTEST_PAUSE.total_seconds(), retry_after)
    return timedelta(seconds=min(told, LONGEST_PAUSE.total_seconds()))


def pause(retry_after: float | None, draw: random.Random) -> timedelta:
    """Return the pause that a vendor asked for, and a little more so that a crowd does not return as one."""
    return asked(retry_after) * draw.uniform(1.0, 1.2)
