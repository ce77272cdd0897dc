"""A job and its failed attempts, as they are shown."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from models.ledger import Outcome, State

COLUMNS = (
    "id",
    "kind",
    "queue",
    "priority",
    "business_id",
    "root_id",
    "parent_id",
    "payload",
    "state",
    "reason",
    "attempt",
    "max_attempts",
    "rescues",
    "run_at",
    "give_up_at",
    "enqueued_at",
    "dispatched_at",
    "claimed_at",
    "started_at",
    "deadline_at",
    "finished_at",
    "worker_id",
    "again",
    "cursor",
    "cancel_requested_at",
    "progress",
    "doing",
    "fingerprint",
    "failed_at",
)
LAST_ERRORS = text(
    "SELECT given.id, last.error_class, last.error_code, last.message, last.fingerprint "
    "FROM unnest(CAST(:ids AS bigint[])) AS given(id), LATERAL ("
    "  SELECT * FROM ledger.attempts WHERE job_id = given.id ORDER BY id DESC LIMIT 1"
    ") last"
)


@dataclass(frozen=True, slots=True)
class LastError:
    """How a job's latest failed attempt ended."""

    error_class: str | None
    code: str | None
    message: str | None
    fingerprint: str | None


@dataclass(frozen=True, slots=True)
class JobSeen:
    """One job. `attempt` is the last that was started, from 1 on; times are aware.

    `fingerprint` is that of its latest failure, at `failed_at`, unless somebody has retried it since.
    """

    id: int
    kind: str
    queue: str
    priority: int
    business_id: UUID
    root_id: int
    parent_id: int | None
    payload: dict[str, Any]
    state: State
    reason: str | None
    attempt: int
    max_attempts: int
    rescues: int
    run_at: datetime
    give_up_at: datetime
    enqueued_at: datetime
    dispatched_at: datetime | None
    claimed_at: datetime | None
    started_at: datetime | None
    deadline_at: datetime | None
    finished_at: datetime | None
    worker_id: UUID | None
    again: bool
    cursor: dict[str, Any] | None
    cancel_requested_at: datetime | None
    progress: int | None
    doing: str | None
    fingerprint: str | None
    failed_at: datetime | None
    last_error: LastError | None = None

    @property
    def of_the_house(self) -> bool:
        """Whether it concerns no single business."""
        return self.business_id.int == 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that did not succeed."""

    id: int
    attempt: int
    worker_id: UUID | None
    started_at: datetime | None
    ended_at: datetime
    outcome: Outcome
    error_class: str | None
    error_code: str | None
    message: str | None
    place: str | None
    traceback: str | None
    fingerprint: str | None
    log_tail: str | None


def seen(row: Any) -> JobSeen:
    """Make a job of its row."""
    return JobSeen(**{name: getattr(row, name) for name in COLUMNS})


def with_last_errors(db: Connection, jobs: Iterable[JobSeen]) -> tuple[JobSeen, ...]:
    """Return the jobs, each with how its latest failed attempt ended."""
    jobs = tuple(jobs)
    if not jobs:
        return ()
    rows = db.execute(LAST_ERRORS, {"ids": [job.id for job in jobs]})
    errors = {row.id: LastError(row.error_class, row.error_code, row.message, row.fingerprint) for row in rows}
    return tuple(replace(job, last_error=errors.get(job.id)) for job in jobs)
