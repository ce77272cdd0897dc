"""From due to dispatched: promote, pick fairly, ring again for what Redis lost."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from ledger.watch import STALE_AFTER

PRIORITIES = (0, 1, 2, 3)
PROMOTE = text("SELECT ledger.promote_v1()")
WAITING = text("SELECT queue, priority FROM ledger.waiting_v1()")
DISPATCH = text(
    "SELECT id, fence, priority FROM ledger.dispatch_v1(:queue, CAST(:room AS integer[]), CAST(:share AS integer)) "
    "ORDER BY priority, id"
)
RING_AGAIN = text(
    "SELECT id, fence, CAST(:priority AS integer) "
    "FROM ledger.ring_again_v1(:queue, :priority, :head, :most) ORDER BY id"
)
SETTLE_PAUSES = text("SELECT ledger.settle_pauses_v1()")
SETTLE_BATCHES = text("SELECT ledger.settle_batches_v1(:most)")
THREADS = text("SELECT ledger.threads_v1(:stale)")
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


def waiting(db: Connection) -> dict[str, set[int]]:
    """Return the queues that have an available job, and in which priorities."""
    found: dict[str, set[int]] = {}
    for queue, priority in db.execute(WAITING):
        found.setdefault(queue, set()).add(priority)
    return found


def dispatch(db: Connection, queue: str, room: Sequence[int], share: int | None = None) -> list[Dispatched]:
    """Pick at most `room[priority]` jobs of each priority; nothing if another dispatcher holds the queue.

    No business gets more than `share` of the queue's jobs in flight.
    """
    rows = db.execute(DISPATCH, {"queue": queue, "room": list(room), "share": share})
    return [Dispatched(*row) for row in rows.all()]


def threads(db: Connection) -> int:
    """Return how many threads the living workers have."""
    alive: int = db.execute(THREADS, {"stale": STALE_AFTER}).scalar_one()
    return alive


def ring_again(db: Connection, queue: str, priority: int, head: int | None, most: int = 5000) -> list[Dispatched]:
    """Return the dispatched jobs that Redis no longer holds; `head` is the id at the head of their list."""
    rows = db.execute(RING_AGAIN, {"queue": queue, "priority": priority, "head": head, "most": most}).all()
    return [Dispatched(*row) for row in rows]


def settle_pauses(db: Connection) -> int:
    """Park what waits for a pause, free what no longer does; returns how many."""
    settled: int = db.execute(SETTLE_PAUSES).scalar_one()
    return settled


def settle_batches(db: Connection, most: int = 1000) -> int:
    """Take up which jobs of batches have ended, complete the batches that are through; returns how many of both."""
    settled: int = db.execute(SETTLE_BATCHES, {"most": most}).scalar_one()
    return settled


def sleep(db: Connection, *, asleep: bool) -> None:
    """Tell enqueuers whether they must knock."""
    db.execute(SLEEP, {"asleep": asleep})
