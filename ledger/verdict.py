"""What becomes of a job whose attempt failed: a pure function of the error and the job."""

import random
from dataclasses import dataclass
from datetime import timedelta

from ledger.errors import GiveUp, JobError, Misconfigured, OtherRelease, RateLimited
from ledger.retry import backoff, pause
from ledger.transaction import passing


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state a job takes, why, how long until it is due again, and whether the attempt counts."""

    state: str
    reason: str | None = None
    wait: timedelta | None = None
    spent: bool = True

    @property
    def ends(self) -> bool:
        """Whether nothing more happens to the job by itself."""
        return self.state == "dead"


def judge(
    error: BaseException,
    *,
    attempt: int,
    max_attempts: int,
    patience: timedelta,
    draw: random.Random,
) -> Verdict:
    """Decide by the error's class.

    `attempt` is the number of the attempt that failed, from 1 on; `patience` how long it may wait where none is spent.
    """
    match error:
        case GiveUp():
            return Verdict("dead", error.code)
        case Misconfigured():
            return Verdict("parked", error.code, spent=False)
        case RateLimited() | OtherRelease():
            wait = pause(error.retry_after if isinstance(error, RateLimited) else None, draw)
            if wait > patience:
                return Verdict("dead", "limited_too_long" if isinstance(error, RateLimited) else "never_read")
            return Verdict("retryable", error.code, wait, spent=False)
        case _ if attempt >= max_attempts:
            return Verdict("dead", "attempts_exhausted")
        case _:
            return Verdict("retryable", _reason(error), backoff(attempt, draw))


def _reason(error: BaseException) -> str:
    if isinstance(error, JobError):
        return error.code
    return "database_busy" if passing(error) else "bug"
