"""One job changed by hand, with how it stood before and after."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ledger import operate

Change = Callable[[Connection, int], str]


@dataclass(frozen=True, slots=True)
class Changed:
    """How a job stood before and after, and the state it is in now."""

    state: str
    before: dict[str, Any]
    after: dict[str, Any]


def change(db: Connection, job_id: int, how: Change) -> Changed:
    """Lock a job, change it, and return what became of it; raises Refused."""
    before = operate.take(db, job_id)
    state = how(db, job_id)
    return Changed(state, before, operate.take(db, job_id))
