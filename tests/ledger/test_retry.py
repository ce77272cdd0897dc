"""When to try again: bounded, spread, and never sooner than a vendor asked."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ledger.retry import BASE, LONGEST, LONGEST_PAUSE, PAUSE_UNTOLD, backoff, pause

attempts = some.integers(min_value=1, max_value=10**9)
seeds = some.integers(min_value=0, max_value=2**32)


class Drawn(random.Random):
    """Draws one end of every range."""

    def __init__(self, at: float) -> None:
        super().__init__(0)
        self._at = at

    def uniform(self, a: float, b: float) -> float:
        return a + (b - a) * self._at


def ceiling(attempt: int) -> timedelta:
    return backoff(attempt, Drawn(1.0))


def test_the_ceiling_doubles_from_five_seconds_to_an_hour() -> None:
    assert [ceiling(attempt).total_seconds() for attempt in range(1, 13)] == [
        *(5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560),
        *(3600, 3600),
    ]


@given(attempt=attempts)
def test_the_ceiling_never_falls(attempt: int) -> None:
    assert BASE <= ceiling(attempt) <= ceiling(attempt + 1) <= LONGEST


@given(attempt=attempts, seed=seeds)
def test_a_wait_lies_between_a_tenth_of_the_ceiling_and_the_ceiling(attempt: int, seed: int) -> None:
    wait = backoff(attempt, random.Random(seed))
    assert 0.1 * ceiling(attempt) <= wait <= ceiling(attempt)


def test_a_crowd_that_failed_together_does_not_return_together() -> None:
    draw = random.Random(1)
    waits = sorted(backoff(6, draw).total_seconds() for _ in range(1000))
    tenths = [sum(1 for wait in waits if wait // 16 == tenth) for tenth in range(1, 10)]
    assert all(60 < count < 170 for count in tenths), tenths


@given(retry_after=some.floats(allow_nan=True, allow_infinity=True) | some.none(), seed=seeds)
def test_a_pause_is_as_long_as_it_was_told_and_at_most_a_fifth_longer(retry_after: float | None, seed: int) -> None:
    wait = pause(retry_after, random.Random(seed))
    assert timedelta(0) <= wait <= 1.2 * LONGEST_PAUSE
    if retry_after is None:
        assert PAUSE_UNTOLD <= wait <= 1.2 * PAUSE_UNTOLD
    elif 0 <= retry_after <= LONGEST_PAUSE.total_seconds():
        assert timedelta(seconds=retry_after) <= wait
    elif retry_after > LONGEST_PAUSE.total_seconds():
        assert wait >= LONGEST_PAUSE


@pytest.mark.parametrize("retry_after", [1e20, float("inf")])
def test_a_vendor_that_asks_for_ever_is_asked_again_after_a_quarter_of_an_hour(retry_after: float) -> None:
    assert pause(retry_after, Drawn(0.0)) == LONGEST_PAUSE
