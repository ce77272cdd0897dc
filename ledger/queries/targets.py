"""The jobs that an operation would be done to: which, how many, and what a few of them are."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import Connection, select

from ledger.queries.job import COLUMNS, JobSeen, seen, with_last_errors
from ledger.queries.listing import walk_of
from ledger.queries.order import JobFilter, jobs
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
    """The jobs that a filter names and an action can be done to, MOST at most: `more` where there are others.

    `left_out` are the states that the filter asks for and the action cannot be done in.
    """

    ids: tuple[int, ...]
    more: bool
    states: dict[State, int]
    kinds: dict[str, int]
    businesses: int
    sample: tuple[JobSeen, ...]


def find_targets(db: Connection, action: Action, wanted: JobFilter) -> Targets:
    """Find an operation's jobs. A filter without a state means those that failed: dead, parked or retryable."""
    found = list(islice(_found(db, action, wanted), MOST + 1))
    taken = found[:MOST]
    return Targets(
        ids=tuple(row.id for row in taken),
        more=len(found) > MOST,
        states=dict(Counter(State(row.state) for row in taken).most_common()),
        kinds=dict(Counter(row.kind for row in taken).most_common()),
        businesses=len({row.business_id for row in taken}),
        sample=_sample(db, [row.id for row in taken[:SAMPLE]]),
    )


def _found(db: Connection, action: Action, wanted: JobFilter) -> Iterator[Any]:
    for each in _by_state(action, wanted):
        walk = walk_of(db, each)
        source = walk.source
        possible = (state for state in OPERABLE[action] if each.state in (None, state))
        listed = (
            select(source.c.id, source.c.state, source.c.kind, source.c.business_id)
            .where(*walk.within, *walk.rest(source), source.c.state.in_(list(possible)))
            .order_by(*walk.order(source, backwards=False))
            .limit(MOST + 1)
        )
        yield from db.execute(listed)


def _by_state(action: Action, wanted: JobFilter) -> Iterator[JobFilter]:
    """Yield filters that an index answers each."""
    if wanted.state is not None:
        if wanted.state in OPERABLE[action]:
            yield wanted
    elif any(
        value is not None for value in (wanted.id, wanted.failing, wanted.fingerprint, wanted.code, wanted.root_id)
    ):
        yield wanted
    else:
        yield from (replace(wanted, state=state) for state in FAILED)


def _sample(db: Connection, ids: list[int]) -> tuple[JobSeen, ...]:
    rows = db.execute(select(*(jobs.c[name] for name in COLUMNS)).where(jobs.c.id.in_(ids)).order_by(jobs.c.id.desc()))
    return with_last_errors(db, [seen(row) for row in rows])
