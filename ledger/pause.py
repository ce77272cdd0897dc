"""Pause and resume queues, kinds and businesses; see what is paused."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from ledger.operate import ask

PAUSE = text("SELECT ledger.pause_v1(:who, :why, :queue, :kind, :business_id)")
RESUME = text("SELECT ledger.resume_v1(:id, :who)")
PAUSES = text(
    "SELECT id, queue, kind, business_id, code, since, who, why FROM ledger.pauses WHERE ended_at IS NULL ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Pause:
    """What waits: the jobs of this queue, kind and business, each where it is not None."""

    id: int
    queue: str | None
    kind: str | None
    business_id: UUID | None
    code: str | None
    since: datetime
    who: str
    why: str


def pause(
    db: Connection,
    *,
    who: str,
    why: str,
    queue: str | None = None,
    kind: str | None = None,
    business_id: UUID | None = None,
) -> int:
    """Let nothing that is named here start; returns the pause, or the one that is there already; raises Refused."""
    values = {"who": who, "why": why, "queue": queue, "kind": kind, "business_id": business_id}
    return int(ask(db, PAUSE, values))


def resume(db: Connection, pause_id: int, *, who: str) -> None:
    """End a pause: what waited for it is due again within a second; raises Refused."""
    ask(db, RESUME, {"id": pause_id, "who": who})


def pauses(db: Connection) -> list[Pause]:
    """Return what is paused now, oldest first."""
    return [Pause(*row) for row in db.execute(PAUSES)]
