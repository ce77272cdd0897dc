"""From due to dispatched: promote, pick fairly, ring again for what Redis lost."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

PRIORITIES = (0, 1, 2, 3)
PROMOTE = text("SELECT ledger.promote_v1()")
WAITING = text("SELECT ledger.waiting_v1()")
LOCK = text("SELECT ledger.lock_queue_v1(:queue)")
DISPATCH = text("SELECT id, fence, priority FROM ledger.dispatch_v1(:queue, CAST(:room AS integer[]))")
RING_AGAIN = text("SELECT id, fence FROM ledger.ring_again_v1(:queue, :priority, :head, :most)")
SLEEP = text("SELECT ledger.sleep_v1(:asleep)")
BELL = "nexara_bell"
"""The channel on which an enqueuer knocks while the dispatcher sleeps."""


@dataclass(frozen=True, slots=True)
class Dispatched:
    """A job that may be claimed under this fence."""

    id: int
    fence: int
    priority: int


def promote(db: Connection) -> int:
    """Make due jobs available; returns how many."""
    moved: int = db.execute(PROMOTE).scalar_one()
    return moved


def waiting(db: Connection) -> list[str]:
    """Return the queues that have an available job."""
    return list(db.execute(WAITING).scalars())


def dispatch(db: Connection, queue: str, room: Sequence[int]) -> list[Dispatched]:
    """Pick at most `room[priority]` jobs of each priority; nothing if another dispatcher holds the queue."""
    if not db.execute(LOCK, {"queue": queue}).scalar_one():
        return []
    rows = db.execute(DISPATCH, {"queue": queue, "room": list(room)})
    return sorted((Dispatched(*row) for row in rows), key=lambda job: (job.priority, job.id))


def ring_again(db: Connection, queue: str, priority: int, head: int | None, most: int = 5000) -> list[Dispatched]:
    """Return the dispatched jobs that Redis no longer holds; `head` is the id at the head of their list."""
    rows = db.execute(RING_AGAIN, {"queue": queue, "priority": priority, "head": head, "most": most})
    return sorted((Dispatched(id=row.id, fence=row.fence, priority=priority) for row in rows), key=lambda job: job.id)


def sleep(db: Connection, *, asleep: bool) -> None:
    """Tell enqueuers whether they must knock."""
    db.execute(SLEEP, {"asleep": asleep})
