"""What `nexara enqueue` and `nexara jobs` do: the dashboard's role, at the command line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from ledger import operate as ledger_operate
from ledger import queries
from ledger.audit import Actor, record
from ledger.by_hand import change
from ledger.queries import JobFilter
from models.ledger import State
from settings import Settings
from workers.reach import reaching
from workers.wiring import NotConfigured, engine, require

HOUSE = UUID(int=0)
WIDE = 250
"""Columns where no terminal says how many it has: what goes to a file or to grep must not be cut."""
ACTS = {
    "retry": ledger_operate.retry,
    "run_now": ledger_operate.run_now,
    "discard": ledger_operate.discard,
    "cancel": ledger_operate.cancel,
}
ENDS = ", and ends at its next checkpoint"
BAD_INPUT = "22"
"""The class of SQLSTATEs that say what is wrong with what was given."""


@contextmanager
def connected(settings: Settings) -> Iterator[Connection]:
    """Yield a transaction as nexara_dashboard."""
    with _database(settings) as database, database.begin() as db:
        yield db


@contextmanager
def refusals() -> Iterator[None]:
    """Let what the ledger refuses end the command with its words."""
    try:
        yield
    except ledger_operate.Refused as refused:
        raise NotConfigured(str(refused)) from None


def enqueue(
    settings: Settings, kind: str, payload: str, business: str | None, *, actor: Actor, why: str | None = None
) -> int:
    """Enqueue a job by the function that everybody calls; raises NotConfigured with what is wrong."""
    try:
        owner = UUID(business) if business else HOUSE
        given = json.dumps(json.loads(payload))
    except ValueError:
        raise NotConfigured("PAYLOAD must be JSON, and --business a UUID") from None
    with refusals(), connected(settings) as db:
        try:
            job_id: int = db.execute(
                text("SELECT ledger.enqueue_job_v1(:kind, CAST(:payload AS jsonb), CAST(:business AS uuid))"),
                {"kind": kind, "payload": given, "business": owner},
            ).scalar_one()
        except DBAPIError as error:
            if str(getattr(error.orig, "sqlstate", "")).startswith(BAD_INPUT):
                raise NotConfigured(ledger_operate.said(error)) from None
            raise
        record(db, actor, "jobs.enqueue", why=why, about={"kind": kind, "business_id": owner}, jobs=[job_id])
    return job_id


def operate(
    settings: Settings, what: str, job_ids: tuple[int, ...], *, actor: Actor, why: str | None, as_json: bool
) -> int:
    """Retry, run now, discard or cancel jobs, one by one; returns 0 if all could be, else 1."""
    act = ACTS[what]
    status = 0
    for job_id in job_ids:
        refused = state = None
        try:
            with connected(settings) as db:
                changed = change(db, job_id, act)
                state = changed.state
                record(db, actor, f"jobs.{what}", why=why, jobs=[job_id], before=changed.before, after=changed.after)
        except ledger_operate.Refused as told:
            refused, status = str(told), 1
        if as_json:
            click.echo(json.dumps({"id": job_id, "state": state, "refused": refused}))
        else:
            click.echo(refused or f"job {job_id} is {state}{ENDS if state == State.RUNNING else ''}", err=bool(refused))
    return status


def edit(settings: Settings, job_id: int, payload: str, *, actor: Actor, why: str | None) -> dict[str, Any]:
    """Change fields of a job's payload and retry it; returns it as stored; raises NotConfigured with what is wrong."""
    try:
        changes = dict(json.loads(payload))
    except (TypeError, ValueError):
        raise NotConfigured("PAYLOAD must be a JSON object of the fields to change; null leaves one out") from None
    with refusals(), connected(settings) as db:
        ledger_operate.take(db, job_id)
        was = db.execute(text("SELECT payload FROM ledger.jobs WHERE id = :id"), {"id": job_id}).scalar_one()
        wanted = {name: value for name, value in {**was, **changes}.items() if value is not None}
        now = ledger_operate.edit(db, job_id, wanted)
        differs = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
        before, after = ({name: each.get(name) for name in differs} for each in (was, now))
        record(db, actor, "jobs.edit", why=why, jobs=[job_id], before={"payload": before}, after={"payload": after})
    return now


def list_jobs(
    settings: Settings, wanted: JobFilter, *, state: str | None, kind: str | None, limit: int, as_json: bool
) -> None:
    """Print the jobs of a filter, of a state or kind if one is named: a line each, or one JSON object a line."""
    wanted = replace(wanted, state=_state(state) or wanted.state, kind=kind or wanted.kind)
    with looking(settings) as db:
        page = queries.list_jobs(db, wanted, size=limit)
    if as_json:
        for job in page.jobs:
            click.echo(_json(job))
        return
    shown = Table(box=None)
    for heading in ("id", "kind", "state", "attempt", "reason", "enqueued"):
        shown.add_column(heading, no_wrap=True)
    for job in page.jobs:
        tried = f"{job.attempt}/{job.max_attempts}"
        shown.add_row(str(job.id), job.kind, job.state, tried, job.reason or "", f"{job.enqueued_at:%Y-%m-%d %H:%M:%S}")
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDE
    console.print(shown if page.jobs else "No such job.")
    if page.next:
        click.echo(f"There are more: --limit, or the dashboard. ({page.words})", err=True)


def show_job(settings: Settings, job_id: int, *, as_json: bool) -> None:
    """Print one job with its attempts and its chain; raises NotConfigured if there is none."""
    with looking(settings) as db:
        story = queries.read_story(db, job_id)
        batches = queries.read_batches_of(db, job_id)
    if story is None:
        raise NotConfigured(f"there is no job {job_id}")
    if as_json:
        click.echo(json.dumps({**asdict(story), "batches": [asdict(batch) for batch in batches]}, default=str))
        return
    job, console = story.job, Console(soft_wrap=True, highlight=False)
    console.print(f"job {job.id}  {job.kind}  {job.state}" + (f" ({job.reason})" if job.reason else ""))
    console.print(f"  business  {job.business_id}\n  payload   {json.dumps(job.payload)}")
    console.print(f"  attempts  {job.attempt} of {job.max_attempts}, {job.rescues} rescues")
    for batch in batches:
        console.print(f"  batch     {batch.id}  {batch.state}, {batch.percent} % ended")
    for tried in story.attempts:
        console.print(
            f"\n  attempt {tried.attempt}, {tried.ended_at:%Y-%m-%d %H:%M:%S} UTC: {tried.outcome}, {tried.error_code}"
        )
        console.print(f"    {tried.message or ''} {tried.place or ''}".rstrip())
        if tried.traceback:
            console.print(tried.traceback, markup=False)
    console.print("\n  its chain")
    for link in story.chain:
        each, kind = link.job, f"{'  ' * link.depth}{link.job.kind}"
        console.print(f"    {each.id:>8}  {kind:<34} {each.state}" + ("  ← this" if each.id == job.id else ""))


@contextmanager
def looking(settings: Settings) -> Iterator[Connection]:
    """Yield a transaction as nexara_dashboard that cannot write."""
    with _database(settings) as database, queries.looking(database) as db:
        yield db


@contextmanager
def _database(settings: Settings) -> Iterator[Engine]:
    require(dashboard_database_url=settings.dashboard_database_url)
    with reaching("DASHBOARD_DATABASE_URL", settings.dashboard_database_url):
        database = engine(settings.dashboard_database_url, 1)
        try:
            yield database
        finally:
            database.dispose()


def _state(name: str | None) -> State | None:
    try:
        return None if name is None else State(name)
    except ValueError:
        raise NotConfigured(f"--state is one of {', '.join(State)}") from None


def _json(value: Any) -> str:
    return json.dumps(asdict(value), default=str)
