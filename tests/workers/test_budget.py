"""Prefetch is a budget: what idle threads can run now, and what ends in the next tenth of a second."""

from threading import Timer
from time import monotonic, sleep

import pytest

from workers.budget import MOST_AHEAD, WINDOW, Budget

THREADS = 4


@pytest.fixture
def budget() -> Budget:
    return Budget(THREADS)


def quicken(budget: Budget) -> None:
    """End jobs as fast as this machine can, for long enough to be believed."""
    end = monotonic() + 1.5 * WINDOW
    while budget.room(0) < THREADS + MOST_AHEAD:
        budget.take(THREADS)
        budget.release(THREADS)
        assert monotonic() < end, "so many jobs a second are no pace"


def test_an_idle_process_takes_a_job_for_each_thread(budget: Budget) -> None:
    assert budget.room(0) == THREADS
    budget.take(1)
    assert budget.room(0) == THREADS - 1
    budget.take(THREADS - 1)
    assert budget.room(0) == 0
    assert budget.held == THREADS


def test_slow_jobs_are_taken_for_idle_threads_alone(budget: Budget) -> None:
    for _ in range(3):
        budget.take(THREADS)
        sleep(0.45)  # less than one ends in a tenth of a second
        assert budget.room(0) == 0
        budget.release(THREADS)
        assert budget.room(0) == THREADS


def test_a_fast_pace_reads_ahead_and_no_further_than_256(budget: Budget) -> None:
    quicken(budget)
    assert budget.room(0) == THREADS + MOST_AHEAD == THREADS + 256
    budget.take(THREADS + MOST_AHEAD)
    assert budget.room(0) == 0


def test_a_pace_is_forgotten_after_a_silence(budget: Budget) -> None:
    quicken(budget)
    sleep(WINDOW + 0.05)
    assert budget.room(0) == THREADS


def test_a_full_process_waits_no_longer_than_it_was_told(budget: Budget) -> None:
    budget.take(THREADS)
    began = monotonic()
    assert budget.room(0.1) == 0
    assert 0.09 < monotonic() - began < 1


def test_a_job_that_ends_wakes_whoever_waits_for_room(budget: Budget) -> None:
    budget.take(THREADS)
    ends = Timer(0.05, budget.release)
    ends.start()
    began = monotonic()
    assert budget.room(10) == 1
    assert monotonic() - began < 5
    ends.join()


def test_drained_waits_for_the_last_job(budget: Budget) -> None:
    assert budget.drained(0)
    budget.take(1)
    assert not budget.drained(0.01)
    ends = Timer(0.05, budget.release)
    ends.start()
    assert budget.drained(10)
    ends.join()
