"""One action on many jobs, asked for once and done in batches: create it, cancel it."""

import json
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from ledger.audit import Actor
from ledger.operate import ask
from ledger.queries.order import JobFilter
from ledger.queries.targets import find_targets
from models.operations import Action

AT_ONCE = timedelta()
CREATE = text(
    "SELECT ledger.create_operation_v1(:who, :role, :why, :action, CAST(:filter AS jsonb), CAST(:ids AS bigint[]), :spread)"
)
CANCEL = text("SELECT ledger.cancel_operation_v1(:who, :role, :why, :id)")


def create(
    db: Connection, actor: Actor, action: Action, wanted: JobFilter, *, why: str, spread: timedelta = AT_ONCE
) -> UUID:
    """Ask for an action on the jobs that a filter names now, and note it in the audit; returns the operation.

    Retried jobs come due one after the other over `spread`. Raises Refused: no such job, no reason.
    """
    found = find_targets(db, action, wanted)
    operation: UUID = ask(
        db,
        CREATE,
        {
            "who": actor.name,
            "role": str(actor.role),
            "why": why,
            "action": str(action),
            "filter": json.dumps(written(wanted)),
            "ids": list(found.ids),
            "spread": spread,
        },
    )
    return operation


def cancel(db: Connection, actor: Actor, operation_id: UUID, *, why: str | None = None) -> None:
    """Leave the rest of an operation undone, and note it in the audit; raises Refused if it has ended."""
    ask(db, CANCEL, {"who": actor.name, "role": str(actor.role), "why": why, "id": operation_id})


def written(wanted: JobFilter) -> dict[str, str]:
    """Return a filter as it is kept: the fields that are set, as words."""
    return {name: str(value) for name, value in asdict(wanted).items() if value is not None}
