"""A job that a worker holds, and what became of it."""

import time
from dataclasses import dataclass, field
from datetime import timedelta
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
    patience: timedelta
    """How long after the claim a vendor's "later" is believed."""
    cursor: dict[str, Any] | None
    started: bool = False
    since: float = field(default_factory=time.monotonic)

    @property
    def patience_left(self) -> timedelta:
        """How long a vendor's "later" is believed from now on."""
        return self.patience - timedelta(seconds=time.monotonic() - self.since)


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
