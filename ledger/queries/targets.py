"""The jobs that an operation would be done to: which, how many, and what a few of them are."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Subquery, func, select

from ledger.queries.job import COLUMNS, JobSeen, seen, with_last_errors
from ledger.queries.listing import walk_of
from ledger.queries.order import JobFilter, failing, jobs
from models.ledger import FAILED, State
from models.operations import Action

MOST = 100_000
"""Jobs of one operation; create_operation_v1 takes no more."""
SAMPLE = 10
OPERABLE: dict[Action, tuple[State, ...]] = {
    Action.RETRY: (*FAILED, State.CANCELLED, State.DISCARDED, State.SCHEDULED),
    Action.DISCARD: (*FAILED, State.CANCELLED, State.SCHEDULED, State.AVAILABLE, State.DISPATCHED),
}
"""The states in which it can be done; `ledger.operable` says the same, and has the last word."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What an operation would be done to, MOST jobs at most: `more` where there are others; the largest part first."""

    total: int
    more: bool
    states: dict[State, int]
    kinds: dict[str, int]
    businesses: int
    sample: tuple[JobSeen, ...]


def target_ids(db: Connection, action: Action, wanted: JobFilter) -> list[int]:
    """Find an operation's jobs, MOST at most. A filter that names no state, job or error means those that failed."""
    found = _found(db, action, wanted, MOST)
    return list(db.execute(select(func.array_agg(found.c.id))).scalar_one() or ())


def find_targets(db: Connection, action: Action, wanted: JobFilter) -> Targets:
    """Look at an operation's jobs before it is asked for."""
    found = _found(db, action, wanted, MOST + 1)
    each = (found.c.state, found.c.kind, found.c.business_id)
    rows = db.execute(
        select(*each, func.count().label("jobs")).group_by(func.grouping_sets(*each)).order_by(func.count().desc())
    ).all()
    states = {State(row.state): row.jobs for row in rows if row.state is not None}
    total = sum(states.values())
    return Targets(
        total=min(total, MOST),
        more=total > MOST,
        states=states,
        kinds={row.kind: row.jobs for row in rows if row.kind is not None},
        businesses=sum(row.business_id is not None for row in rows),
        sample=_sample(db, list(db.execute(select(found.c.id).limit(SAMPLE)).scalars())),
    )


def _found(db: Connection, action: Action, wanted: JobFilter, most: int) -> Subquery:
    walk = walk_of(db, wanted) if _names_some(wanted) else failing(wanted)
    source = walk.source
    possible = [state for state in OPERABLE[action] if wanted.state in (None, state)]
    listed: Select[Any] = select(source.c.id, source.c.state, source.c.kind, source.c.business_id)
    return (
        listed.where(*walk.within, *walk.rest(source), source.c.state.in_(possible))
        .order_by(*walk.order(source, backwards=False))
        .limit(most)
        .subquery("found")
    )


def _names_some(wanted: JobFilter) -> bool:
    """Whether a filter says which jobs are meant, by an index of their own."""
    named = (wanted.state, wanted.id, wanted.ids, wanted.failing, wanted.fingerprint, wanted.code, wanted.root_id)
    return any(value is not None for value in named)


def _sample(db: Connection, ids: list[int]) -> tuple[JobSeen, ...]:
    rows = db.execute(select(*(jobs.c[name] for name in COLUMNS)).where(jobs.c.id.in_(ids)).order_by(jobs.c.id.desc()))
    return with_last_errors(db, [seen(row) for row in rows])
