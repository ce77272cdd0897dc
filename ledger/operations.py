"""One action on many jobs, asked for once and done in batches: create it, cancel it."""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from ledger.audit import Actor
from ledger.operate import ask, ask_row
from ledger.queries.order import JobFilter
from ledger.queries.targets import target_ids
from models.operations import Action

AT_ONCE = timedelta()
CREATE = text(
    "SELECT id, audit_id FROM ledger.create_operation_v1(:who, :role, :why, :action, CAST(:filter AS jsonb), "
    "CAST(:ids AS bigint[]), :spread)"
)
CANCEL = text("SELECT ledger.cancel_operation_v1(:who, :role, :why, :id)")


@dataclass(frozen=True, slots=True)
class Created:
    """An operation that was asked for, and the audit's row that says so."""

    id: UUID
    audit_id: int


def create(
    db: Connection, actor: Actor, action: Action, wanted: JobFilter, *, why: str, spread: timedelta = AT_ONCE
) -> Created:
    """Ask for an action on the jobs that a filter names now, and note it in the audit.

    Retried jobs come due one after the other over `spread`. Raises Refused: no such job, no reason.
    """
    row = ask_row(
        db,
        CREATE,
        {
            "who": actor.name,
            "role": str(actor.role),
            "why": why,
            "action": str(action),
            "filter": json.dumps(written(wanted)),
            "ids": target_ids(db, action, wanted),
            "spread": spread,
        },
    )
    return Created(row.id, row.audit_id)


def cancel(db: Connection, actor: Actor, operation_id: UUID, *, why: str | None = None) -> int:
    """Leave the rest of an operation undone; returns the audit's row; raises Refused if it has ended."""
    return int(ask(db, CANCEL, {"who": actor.name, "role": str(actor.role), "why": why, "id": operation_id}))


def written(wanted: JobFilter) -> dict[str, str]:
    """Return a filter as it is kept: the fields that are set, as words."""
    set_fields = {name: value for name, value in asdict(wanted).items() if value is not None}
    return {
        name: ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for name, value in set_fields.items()
    }
