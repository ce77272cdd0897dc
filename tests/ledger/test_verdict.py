"""What becomes of a job whose attempt failed: by the error's class, the attempts and the time there is."""

import random
from datetime import timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy.exc import DBAPIError, OperationalError

from ledger.errors import GiveUp, Misconfigured, OtherRelease, RateLimited, TryAgain
from ledger.retry import LONGEST, LONGEST_PAUSE
from ledger.verdict import Verdict, judge

A_DAY = timedelta(days=1)


def lost() -> OperationalError:
    return OperationalError("SELECT 1", {}, psycopg.OperationalError("the connection is lost"))


def deadlock() -> DBAPIError:
    return DBAPIError("SELECT 1", {}, psycopg.errors.DeadlockDetected("a deadlock"))


def violation() -> DBAPIError:
    return DBAPIError("SELECT 1", {}, psycopg.errors.CheckViolation("a check"))


ERRORS = some.sampled_from(
    [
        TryAgain("down"),
        RateLimited("busy", retry_after=60),
        RateLimited("busy"),
        OtherRelease("payload_unread"),
        GiveUp("unreadable"),
        Misconfigured("no_key", setting="PAINT_KEY"),
        ValueError("a bug"),
        lost(),
        deadlock(),
        violation(),
    ]
)


def verdict(
    error: BaseException, *, attempt: int = 1, max_attempts: int = 8, patience: timedelta = A_DAY, seed: int = 1
) -> Verdict:
    return judge(
        error,
        attempt=attempt,
        max_attempts=max_attempts,
        patience=patience,
        draw=random.Random(seed),
    )


@given(
    error=ERRORS,
    attempt=some.integers(1, 30),
    max_attempts=some.integers(1, 30),
    minutes=some.integers(-60, 60 * 24),
    seed=some.integers(0, 2**32),
)
def test_every_failure_ends_waits_for_a_time_or_waits_for_somebody(
    error: BaseException, attempt: int, max_attempts: int, minutes: int, seed: int
) -> None:
    patience = timedelta(minutes=minutes)
    became = verdict(error, attempt=attempt, max_attempts=max_attempts, patience=patience, seed=seed)
    assert became.reason
    assert (became.wait is not None) == (became.state == "retryable")
    assert became.ends == (became.state == "dead")
    assert became.state in ("dead", "retryable", "parked")
    unspent = isinstance(error, RateLimited | OtherRelease)
    if became.wait is not None:
        assert timedelta() < became.wait <= max(LONGEST, 1.2 * LONGEST_PAUSE)
        if not unspent:
            assert attempt < max_attempts
        else:
            assert became.wait <= patience
    if became.state != "dead":
        assert became.spent == (not unspent and not isinstance(error, Misconfigured))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (GiveUp("unreadable"), Verdict("dead", "unreadable")),
        (Misconfigured("no_key", setting="PAINT_KEY"), Verdict("parked", "no_key", spent=False)),
    ],
    ids=lambda case: type(case).__name__,
)
@pytest.mark.parametrize("attempt", [1, 8])
def test_what_no_retry_can_mend_does_not_wait_for_one(error: BaseException, expected: Verdict, attempt: int) -> None:
    assert verdict(error, attempt=attempt) == expected


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TryAgain("down"), "down"),
        (ValueError("+447700900123"), "bug"),
        (violation(), "bug"),
        (lost(), "database_busy"),
        (deadlock(), "database_busy"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_anything_else_is_tried_again_until_the_attempts_are_spent(error: BaseException, reason: str) -> None:
    again = verdict(error, attempt=7)
    assert (again.state, again.reason, again.spent) == ("retryable", reason, True)
    last = verdict(error, attempt=8)
    assert (last.state, last.reason) == ("dead", "attempts_exhausted")


def test_a_vendor_that_asks_for_a_pause_costs_no_attempt_however_often_it_asks() -> None:
    asked = verdict(RateLimited("busy", retry_after=60), attempt=8)
    assert (asked.state, asked.reason, asked.spent) == ("retryable", "busy", False)
    assert asked.wait is not None
    assert timedelta(seconds=60) <= asked.wait <= timedelta(seconds=72)


def test_a_vendor_is_believed_until_the_job_is_given_up() -> None:
    soon = timedelta(seconds=59)
    assert verdict(RateLimited("busy", retry_after=60), patience=soon) == Verdict("dead", "limited_too_long")


def test_what_another_release_can_read_waits_for_it_unspent_and_not_for_ever() -> None:
    unread = verdict(OtherRelease("payload_unread"), attempt=8)
    assert (unread.state, unread.reason, unread.spent) == ("retryable", "payload_unread", False)
    assert verdict(OtherRelease("payload_unread"), patience=timedelta(seconds=29)) == Verdict("dead", "never_read")
