"""What becomes of a job whose attempt failed: a pure function of the error and the job."""

import random
from dataclasses import dataclass
from datetime import datetime

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited
from ledger.retry import backoff, pause
from ledger.transaction import passing


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state a job takes, when it is due again, why, and whether the attempt counts."""

    state: str
    reason: str | None = None
    run_at: datetime | None = None
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
    give_up_at: datetime,
    now: datetime,
    draw: random.Random,
) -> Verdict:
    """Decide by the error's class; `attempt` is the number of the attempt that failed, from 1 on."""
    match error:
        case GiveUp():
            return Verdict("dead", error.code)
        case Misconfigured():
            return Verdict("parked", error.code, spent=False)
        case RateLimited():
            due = now + pause(error.retry_after, draw)
            if due > give_up_at:
                return Verdict("dead", "limited_too_long")
            return Verdict("retryable", error.code, due, spent=False)
        case _ if attempt >= max_attempts:
            return Verdict("dead", "attempts_exhausted")
        case _:
            return Verdict("retryable", _reason(error), now + backoff(attempt, draw))


def _reason(error: BaseException) -> str:
    if isinstance(error, JobError):
        return error.code
    return "database_busy" if passing(error) else "bug"
