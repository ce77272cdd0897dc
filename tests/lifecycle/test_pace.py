"""A transaction takes as many rows as fit into the time that it may hold them for."""

import time

from lifecycle.pace import FEWEST, GROWS, Pace

SLOW = 0.02
LONG, SHORT = 60.0, 0.03


def test_it_begins_with_the_first_lock_and_not_with_looking():
    pace = Pace(100, SHORT)
    time.sleep(2 * SHORT)
    assert not pace.is_over()
    pace.locking()
    time.sleep(2 * SHORT)
    assert pace.is_over()


def test_quick_rows_are_followed_by_more_and_never_by_very_many_more():
    pace = Pace(100, LONG)
    pace.locking()
    pace.locked(100)
    assert pace.most == GROWS * 100
    pace.anew()
    assert pace.most == 100


def test_slow_rows_are_followed_by_as_many_as_the_time_that_is_left_allows():
    pace = Pace(1000, 10 * SLOW)
    pace.locking()
    time.sleep(SLOW)
    pace.locked(1000)
    assert FEWEST < pace.most < 10_000 * 0.9
    assert pace.most <= GROWS * 1000
    time.sleep(8 * SLOW)
    pace.locked(100)
    assert pace.most < 100


def test_without_patience_it_is_never_over_and_takes_as_many_each_time():
    pace = Pace(100, None)
    pace.locking()
    pace.locked(100)
    assert pace.most == 100
    assert not pace.is_over()
