"""Who is alive, and what becomes of the jobs of those who are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

HEARTBEAT_EVERY = timedelta(seconds=1)
"""A job that is to be cancelled is told of with a beat, and should stop within two seconds."""
UNHEARD_AFTER = timedelta(seconds=4)
"""A worker whose own last good heartbeat is older starts nothing: it may be about to be rescued."""
STALE_AFTER = timedelta(seconds=6)
RESCUE_EVERY = timedelta(seconds=0.5)
MOST_RESCUES = 3

HEARTBEAT = text("SELECT ledger.heartbeat_v1(:worker, :threads, :kinds)")
SIGN_OFF = text("SELECT ledger.sign_off_v1(:worker)")
RESCUE = text("SELECT id, kind, attempt, state, reason FROM ledger.rescue_v1(:stale, :most, p_looked_at => :looked_at)")
LOOK = text("SELECT clock_timestamp()")


def heartbeat(db: Connection, worker: UUID, threads: int, kinds: Sequence[str]) -> list[int]:
    """Say that this worker lives; returns those of its jobs that are to be cancelled."""
    return list(db.execute(HEARTBEAT, {"worker": worker, "threads": threads, "kinds": list(kinds)}).scalars())


def sign_off(db: Connection, worker: UUID) -> None:
    """Leave the list of workers."""
    db.execute(SIGN_OFF, {"worker": worker})


@dataclass(frozen=True, slots=True)
class Rescued:
    """A job that was taken back, the state it took, and why if it is dead."""

    id: int
    kind: str
    attempt: int
    state: str
    reason: str | None


def look(db: Connection) -> datetime:
    """Return the time by the server's clock, by which heartbeats are stamped."""
    present: datetime = db.execute(LOOK).scalar_one()
    return present


def rescue(db: Connection, stale: timedelta = STALE_AFTER, looked_at: datetime | None = None) -> list[Rescued]:
    """Take back the jobs of silent workers and those past their deadline; none if the server hung since `looked_at`."""
    rows = db.execute(RESCUE, {"stale": stale, "most": MOST_RESCUES, "looked_at": looked_at})
    return [Rescued(*row) for row in rows]
