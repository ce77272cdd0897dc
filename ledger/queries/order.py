"""Which jobs are wanted, and the order that an index can list them in."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, Text, and_, cast, lateral, or_, select, true

from ledger.queries.job import COLUMNS
from ledger.queries.walk import Conditions, Walk
from models.ledger import FAILED, FINISHED, Attempt, Job, State

jobs: FromClause = Job.__table__
attempts: FromClause = Attempt.__table__
MOST_ALIKE = 20_000
"""Attempts of an error that are followed to their jobs, the latest first."""
FEW = (State.PARKED, State.DISPATCHED, State.RUNNING)
"""States of few jobs at a time: their index holds no order worth keeping, so all are gathered and sorted."""
NOT_YET_DUE = (State.SCHEDULED, State.RETRYABLE)
Bounds = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs; a field that is None excludes none.

    `about` is a UUID that the payload names, or the business. `code` and `fingerprint` are those of any failed attempt;
    `failing` is the fingerprint of a failure that the job has not got over: it is dead, parked or retryable. `since`
    and `until` are when the job was enqueued; with a finished state, when it finished; with `failing`, when it failed.
    """

    id: int | None = None
    ids: tuple[int, ...] | None = None
    state: State | None = None
    kind: str | None = None
    queue: str | None = None
    business_id: UUID | None = None
    about: UUID | None = None
    code: str | None = None
    fingerprint: str | None = None
    failing: str | None = None
    root_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether every job passes."""
        return all(getattr(self, field.name) is None for field in fields(self))

    @property
    def only_a_state(self) -> bool:
        """Whether nothing but a state is asked for: how many those are is known."""
        return all(getattr(self, field.name) is None for field in fields(self) if field.name != "state")


def choose(wanted: JobFilter, alike: Sequence[str] | None, bounds: Bounds) -> Walk:
    """Choose the order for a filter.

    `alike` are the fingerprints of its error, None if it names none; `bounds` the ids of the jobs enqueued in its time.
    """
    few = _few(wanted, alike)
    if few is not None:
        return _gathered(few, wanted)
    if wanted.state is None:
        return _newest(wanted, bounds)
    if wanted.state in NOT_YET_DUE:
        return _not_yet_due(wanted)
    return _available(wanted) if wanted.state is State.AVAILABLE else _finished(wanted)


def _few(wanted: JobFilter, alike: Sequence[str] | None) -> Select[Any] | None:
    """Return what selects the jobs of a filter that names few; None if it may name many."""
    if wanted.ids is not None:
        return _listed().where(jobs.c.id.in_(wanted.ids))
    if alike is not None:
        return _failed_alike(alike)
    if wanted.root_id is not None:
        return _listed().where(of_chain(wanted.root_id))
    return _listed().where(jobs.c.state == wanted.state) if wanted.state in FEW else None


def _newest(wanted: JobFilter, bounds: Bounds) -> Walk:
    first, last = bounds
    within = (
        *_is(jobs.c.id, wanted.id),
        *(() if first is None else (jobs.c.id >= first,)),
        *(() if last is None else (jobs.c.id <= last,)),
    )
    return Walk(
        words="newest first",
        source=jobs,
        keys=("id",),
        descending=True,
        within=within,
        rest=lambda source: (*_time(source.c.enqueued_at, wanted), *_rest(source, wanted)),
    )


def _finished(wanted: JobFilter) -> Walk:
    return Walk(
        words="last finished first",
        source=jobs,
        keys=("finished_at", "id"),
        descending=True,
        within=(jobs.c.state == wanted.state, jobs.c.finished_at.is_not(None), *_time(jobs.c.finished_at, wanted)),
        rest=lambda source: _rest(source, wanted),
    )


def failing(wanted: JobFilter) -> Walk:
    """Return the walk over the jobs that have not got over a failure, or not over any if the filter names none."""
    alike = jobs.c.fingerprint.is_not(None) if wanted.failing is None else jobs.c.fingerprint == wanted.failing
    return Walk(
        words="last failed first",
        source=jobs,
        keys=("failed_at", "id"),
        descending=True,
        within=(jobs.c.state.in_(FAILED), alike, *_time(jobs.c.failed_at, wanted)),
        rest=lambda source: (*_is(source.c.id, wanted.id), *_is(source.c.state, wanted.state), *_rest(source, wanted)),
    )


def _not_yet_due(wanted: JobFilter) -> Walk:
    return Walk(
        words="due soonest first",
        source=jobs,
        keys=("run_at", "id"),
        descending=False,
        within=(jobs.c.state.in_(NOT_YET_DUE),),
        rest=lambda source: (
            source.c.state == wanted.state,
            *_time(source.c.enqueued_at, wanted),
            *_rest(source, wanted),
        ),
    )


def _available(wanted: JobFilter) -> Walk:
    return Walk(
        words="in the order of their queue: by priority, business and time",
        source=jobs,
        keys=("queue", "priority", "business_id", "run_at", "id"),
        descending=False,
        within=(jobs.c.state == wanted.state, *_is(jobs.c.queue, wanted.queue)),
        rest=lambda source: (*_time(source.c.enqueued_at, wanted), *_rest(source, wanted)),
    )


def _gathered(listed: Select[Any], wanted: JobFilter) -> Walk:
    """Return a walk over rows that are first fetched by an index of their own and only then sorted and filtered."""

    def rest(source: FromClause) -> Conditions:
        clock = source.c.finished_at if wanted.state in FINISHED else source.c.enqueued_at
        return (
            *_is(source.c.id, wanted.id),
            *_is(source.c.state, wanted.state),
            *_is(source.c.root_id, wanted.root_id),
            *_time(clock, wanted),
            *_rest(source, wanted),
        )

    gathered = listed.cte("gathered").prefix_with("MATERIALIZED", dialect="postgresql")
    return Walk(
        words="newest first",
        source=gathered,
        keys=("id",),
        descending=True,
        within=(),
        rest=rest,
        gathered=True,
    )


def _listed(source: FromClause = jobs) -> Select[Any]:
    return select(*(source.c[name] for name in COLUMNS))


def _failed_alike(fingerprints: Sequence[str]) -> Select[Any]:
    latest = (
        select(attempts.c.job_id)
        .where(attempts.c.fingerprint.in_(fingerprints))
        .order_by(attempts.c.ended_at.desc())
        .limit(MOST_ALIKE)
        .subquery("latest")
    )
    failed = select(latest.c.job_id).distinct().subquery("failed")
    # LIMIT keeps the planner from joining the whole table of jobs to look up a few of them.
    job = lateral(_listed().where(jobs.c.id == failed.c.job_id).limit(1), "job")
    return _listed(job).select_from(failed.join(job, true()))


def of_chain(root_id: int) -> ColumnElement[bool]:
    """Return what is true of a chain's root and of its follow-ups: the index of chains holds these alone."""
    return or_(jobs.c.id == root_id, and_(jobs.c.root_id == root_id, jobs.c.root_id != jobs.c.id))


def _is(column: ColumnElement[Any], value: object) -> Conditions:
    return () if value is None else (column == value,)


def _time(column: ColumnElement[datetime], wanted: JobFilter) -> Conditions:
    return (
        *(() if wanted.since is None else (column >= wanted.since,)),
        *(() if wanted.until is None else (column < wanted.until,)),
    )


def _rest(source: FromClause, wanted: JobFilter) -> Conditions:
    named = cast(source.c.payload, Text).contains(str(wanted.about))
    return (
        *_is(source.c.kind, wanted.kind),
        *_is(source.c.queue, wanted.queue),
        *_is(source.c.business_id, wanted.business_id),
        *(() if wanted.about is None else (or_(source.c.business_id == wanted.about, named),)),
    )
