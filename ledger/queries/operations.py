"""Operations on many jobs: how far each is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from models.ledger import FINISHED, State
from models.operations import Action, Standing

LISTED = 50
COLUMNS = """
SELECT o.id, o.action, o.filter, o.asked_in, asked.who, asked.why, o.created_at, o.total, o.done, o.skipped, o.spread,
       o.next_run_at, o.state, o.job_id, o.finished_at, ended.who AS cancelled_by, ended.why AS cancelled_why,
       j.state AS job_state
FROM ledger.operations o
LEFT JOIN ledger.audit asked ON asked.id = o.asked_in
LEFT JOIN ledger.audit ended ON ended.id = o.cancelled_in
LEFT JOIN ledger.jobs j ON j.id = o.job_id
"""
READ = text(COLUMNS + "WHERE o.id = :id")
LIST = text(COLUMNS + "ORDER BY o.created_at DESC LIMIT :most")


TOUCHED = text("""
SELECT j.state, count(*) AS jobs FROM (
  SELECT t.job_id FROM ledger.audit a CROSS JOIN LATERAL unnest(a.jobs) AS t(job_id)
  WHERE a.action = 'operations.batch' AND a.id > :asked_in AND a.about ->> 'operation' = CAST(:id AS text)
  LIMIT :most
) touched JOIN ledger.jobs j ON j.id = touched.job_id
GROUP BY j.state ORDER BY count(*) DESC
""")
MOST_FOLLOWED = 20_000


@dataclass(frozen=True, slots=True)
class Touched:
    """What the jobs that an operation was done to are now, the first MOST_FOLLOWED of them, the most first."""

    states: dict[State, int]

    @property
    def unsettled(self) -> bool:
        """Whether some of them are about to be something else."""
        return any(state in self.states for state in (State.AVAILABLE, State.DISPATCHED, State.RUNNING))


@dataclass(frozen=True, slots=True)
class OperationSeen:
    """One operation. `skipped` is how many jobs were left out, by why; `job_state` None once its job is forgotten."""

    id: UUID
    action: Action
    filter: dict[str, Any]
    asked_in: int
    who: str | None
    why: str | None
    created_at: datetime
    total: int
    done: int
    skipped: dict[str, int]
    spread: timedelta
    next_run_at: datetime | None
    state: Standing
    job_id: int | None
    finished_at: datetime | None
    cancelled_by: str | None
    cancelled_why: str | None
    job_state: State | None

    @property
    def left_out(self) -> int:
        """How many jobs were left out in all."""
        return sum(self.skipped.values())

    @property
    def to_do(self) -> int:
        """How many jobs it has not come to; of a cancelled one, never will."""
        return self.total - self.done - self.left_out

    @property
    def percent(self) -> int:
        """How much of it has been gone through."""
        return 100 * (self.done + self.left_out) // self.total

    @property
    def stuck(self) -> bool:
        """Whether it is not done and nobody does it: its job has ended or is parked."""
        ended = self.job_state is None or self.job_state in (*FINISHED, State.PARKED)
        return self.state is Standing.WORKING and ended


def read_operation(db: Connection, operation_id: UUID) -> OperationSeen | None:
    """Return one operation; None if there is none, or it is forgotten."""
    row = db.execute(READ, {"id": operation_id}).one_or_none()
    return None if row is None else _seen(row)


def list_operations(db: Connection, most: int = LISTED) -> tuple[OperationSeen, ...]:
    """Return the latest operations, the newest first."""
    return tuple(_seen(row) for row in db.execute(LIST, {"most": most}))


def read_touched(db: Connection, operation: OperationSeen) -> Touched:
    """Return what became of the jobs that an operation was done to."""
    rows = db.execute(TOUCHED, {"asked_in": operation.asked_in, "id": operation.id, "most": MOST_FOLLOWED})
    return Touched({State(row.state): row.jobs for row in rows})


def _seen(row: Any) -> OperationSeen:
    told = row._asdict() | {
        "action": Action(row.action),
        "state": Standing(row.state),
        "job_state": None if row.job_state is None else State(row.job_state),
    }
    return OperationSeen(**told)
