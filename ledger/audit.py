"""Who acted, what they may do, and the row that says so: written in the transaction that acts.

    viewer ──► operator ──┬──► privacy officer    sees personal data and the pages of privacy, too
    looks      acts       └──► admin              manages operators, too

Above the operator the two part: who hands out roles sees nobody's data by that, and who sees it hands out no role. A
privacy officer acts as an operator does, because an erasure that failed at night is mended by retrying its jobs.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, text

from ledger.operate import ask
from models.operators import Role

AUDIT = text(
    "SELECT ledger.audit_v1(:who, :role, :action, :why, CAST(:about AS jsonb), CAST(:jobs AS bigint[]), "
    "CAST(:before AS jsonb), CAST(:after AS jsonb))"
)
Says = Mapping[str, Any]


class Right(StrEnum):
    """What an action or a page asks of who asks for it."""

    LOOK = "look"
    ACT = "act"
    SEE_PERSONAL_DATA = "see_personal_data"
    MANAGE_PRIVACY = "manage_privacy"
    MANAGE_OPERATORS = "manage_operators"


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.LOOK}),
    Role.OPERATOR: frozenset({Right.LOOK, Right.ACT}),
    Role.PRIVACY_OFFICER: frozenset({Right.LOOK, Right.ACT, Right.SEE_PERSONAL_DATA, Right.MANAGE_PRIVACY}),
    Role.ADMIN: frozenset({Right.LOOK, Right.ACT, Right.MANAGE_OPERATORS}),
    Role.CLI: frozenset(Right),  # it holds the dashboard's own login to the database: nothing here could stop it
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: the name that the audit keeps, and the role in which they act."""

    name: str
    role: Role

    def may(self, right: Right) -> bool:
        """Whether the role has a right."""
        return right in RIGHTS[self.role]


def record(
    db: Connection,
    actor: Actor,
    action: str,
    *,
    why: str | None = None,
    about: Says | None = None,
    jobs: Sequence[int] = (),
    before: Says | None = None,
    after: Says | None = None,
) -> int:
    """Write an action's row in the caller's transaction; returns its number; raises Refused if `why` names somebody.

    `action` is a word such as jobs.retry; `about` what it was asked for (a filter, a queue, a pause), `jobs` the ids it
    changed, `before` and `after` what of it changed. They hold ids, codes, flags, numbers and times, nobody's data.
    """
    told = {"about": about or {}, "before": before, "after": after}
    values = {name: None if value is None else json.dumps(value, default=str) for name, value in told.items()}
    named = {"who": actor.name, "role": str(actor.role), "action": action, "why": why, "jobs": list(jobs)}
    return int(ask(db, AUDIT, {**named, **values}))
