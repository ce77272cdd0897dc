"""A job that a worker holds, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ledger.failure import Failure


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that this worker holds, under its fence."""

    id: int
    fence: int
    kind: str
    business_id: UUID
    payload: dict[str, Any]
    attempt: int
    max_attempts: int
    rescues: int
    give_up_at: datetime
    cursor: dict[str, Any] | None
    started: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one run: for the log, and for on-call when it is dead or parked."""

    job_id: int
    kind: str
    attempt: int
    state: str
    reason: str | None = None
    failure: Failure | None = None
    seconds: float | None = None
