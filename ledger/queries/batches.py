"""Batches: what each waits for, how its jobs ended, and what follows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from models.batches import Cue
from models.ledger import FINISHED, State

MOST_COUNTED = 20_000
"""Members of one state that are counted; of a complete batch all are, as the ledger keeps them."""
FEW_COUNTED = 2_000
"""The same where many batches are listed at once, again and again."""
SELECT = """
SELECT b.id, b.business_id, b.root_id, b.opened_at, b.sealed_at, b.completed_at,
       b.succeeded, b.dead, b.cancelled, b.discarded, f.cues, f.kinds, f.jobs
FROM ({batches}) b
CROSS JOIN LATERAL (
  SELECT array_agg(cue ORDER BY cue) AS cues, array_agg(kind ORDER BY cue) AS kinds,
         array_agg(job_id ORDER BY cue) AS jobs
  FROM ledger.batch_follow_ups WHERE batch_id = b.id) f
ORDER BY b.opened_at DESC, b.id
"""
NEWEST = "SELECT * FROM ledger.batches WHERE {which} ORDER BY opened_at DESC LIMIT :size"
MOST_OF_A_JOB = 3
OF_A_JOB = """
SELECT b.* FROM ledger.batch_members m JOIN ledger.batches b ON b.id = m.batch_id
WHERE m.job_id = :job ORDER BY m.batch_id LIMIT :size
"""
ALL = text(SELECT.format(batches=NEWEST.format(which="true")))
OPEN = text(SELECT.format(batches=NEWEST.format(which="completed_at IS NULL")))
ONE = text(SELECT.format(batches="SELECT * FROM ledger.batches WHERE id = :id"))
OF_JOB = text(SELECT.format(batches=OF_A_JOB))
# A state at a time, each by its place in the index; the open ones have none.
COUNT = """
SELECT given.id, s.state, n.found
FROM unnest(CAST(:ids AS uuid[])) given (id) CROSS JOIN unnest(CAST(:states AS text[])) s (state)
CROSS JOIN LATERAL (
  SELECT count(*) AS found FROM (
    SELECT FROM ledger.batch_members m WHERE m.batch_id = given.id AND m.state {is_it} LIMIT :most + 1) few) n
"""
ENDED, NOT_ENDED = COUNT.format(is_it="= s.state"), COUNT.format(is_it="IS NULL")
COUNTS = text(f"{ENDED} WHERE s.state <> '' UNION ALL {NOT_ENDED} WHERE s.state = ''")
LIST = """
SELECT m.job_id, coalesce(j.kind, 'forgotten'), coalesce(j.state, m.state, 'discarded')
FROM (SELECT * FROM ledger.batch_members WHERE batch_id = :id AND state {is_it} ORDER BY state, job_id LIMIT :size) m
LEFT JOIN LATERAL (SELECT kind, state FROM ledger.jobs WHERE id = m.job_id LIMIT 1) j ON true ORDER BY m.job_id
"""
OPEN_MEMBERS, ENDED_MEMBERS = text(LIST.format(is_it="IS NULL")), text(LIST.format(is_it="= :state"))


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What follows a batch, when, and the job that it became; None until then, or if its condition was not met."""

    cue: Cue
    kind: str
    job_id: int | None


@dataclass(frozen=True, slots=True)
class BatchSeen:
    """One batch. `open` jobs it waits for; the others by how they ended, up to a second ago."""

    id: UUID
    business_id: UUID
    root_id: int
    opened_at: datetime
    sealed_at: datetime | None
    completed_at: datetime | None
    open: int
    ended: dict[State, int]
    at_least: bool
    follow_ups: tuple[FollowUp, ...]

    @property
    def state(self) -> str:
        """Open, sealed or complete."""
        if self.completed_at is not None:
            return "complete"
        return "open" if self.sealed_at is None else "sealed"

    @property
    def members(self) -> int:
        """How many jobs it has."""
        return self.open + sum(self.ended.values())

    @property
    def percent(self) -> int:
        """How much of it has ended; all of one that has no jobs."""
        return 100 * (self.members - self.open) // self.members if self.members else 100


@dataclass(frozen=True, slots=True)
class MemberSeen:
    """One job of a batch, in the state it has now."""

    id: int
    kind: str
    state: State


def list_batches(
    db: Connection, *, only_open: bool = False, size: int = 50, most: int = MOST_COUNTED
) -> tuple[BatchSeen, ...]:
    """List batches, the last opened first; those that are not complete if `only_open`."""
    return _seen(db, OPEN if only_open else ALL, most, size=size)


def read_batch(db: Connection, batch_id: UUID) -> BatchSeen | None:
    """Return one batch; None if there is none of this id."""
    found = _seen(db, ONE, id=batch_id)
    return found[0] if found else None


def read_batches_of(db: Connection, job_id: int) -> tuple[BatchSeen, ...]:
    """Return the batches that a job belongs to, MOST_OF_A_JOB at most, the last opened first."""
    return _seen(db, OF_JOB, job=job_id, size=MOST_OF_A_JOB)


def list_members(
    db: Connection, batch_id: UUID, ended_as: State | None = None, size: int = 50
) -> tuple[MemberSeen, ...]:
    """List the jobs of a batch that ended so, or those that it waits for, the oldest first."""
    wanted = {"id": batch_id, "size": size}
    rows = (
        db.execute(OPEN_MEMBERS, wanted)
        if ended_as is None
        else db.execute(ENDED_MEMBERS, {**wanted, "state": str(ended_as)})
    )
    return tuple(MemberSeen(job_id, kind, State(state)) for job_id, kind, state in rows)


def _seen(db: Connection, which: TextClause, most: int = MOST_COUNTED, **values: object) -> tuple[BatchSeen, ...]:
    rows = db.execute(which, values).all()
    counts = _count(db, [row.id for row in rows], most)
    return tuple(_one(row, counts[row.id], most) for row in rows)


def _one(row: Any, counted: dict[State | None, int], most: int) -> BatchSeen:
    ended = {state: getattr(row, state) if row.completed_at else counted[state] for state in FINISHED}
    follow_ups = zip(row.cues or (), row.kinds or (), row.jobs or (), strict=True)
    return BatchSeen(
        id=row.id,
        business_id=row.business_id,
        root_id=row.root_id,
        opened_at=row.opened_at,
        sealed_at=row.sealed_at,
        completed_at=row.completed_at,
        open=min(counted[None], most),
        ended={state: number if row.completed_at else min(number, most) for state, number in ended.items()},
        at_least=row.completed_at is None and max(counted.values()) > most,
        follow_ups=tuple(FollowUp(Cue(cue), kind, job_id) for cue, kind, job_id in follow_ups),
    )


def _count(db: Connection, ids: list[UUID], most: int) -> dict[UUID, dict[State | None, int]]:
    """Count the members of each batch by how they ended, None for those that have not."""
    found: dict[UUID, dict[State | None, int]] = {batch_id: {} for batch_id in ids}
    if ids:
        states = ["", *map(str, FINISHED)]
        for row in db.execute(COUNTS, {"ids": ids, "states": states, "most": most}):
            found[row.id][State(row.state) if row.state else None] = row.found
    return found
