"""`nexara batches`: what each batch waits for and what followed it; and sealing one that nobody will."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any
from uuid import UUID

import click
from sqlalchemy import Connection

from settings import Settings
from workers.wiring import NotConfigured


@click.group()
def batches() -> None:
    """Look at batches of jobs, and seal them."""


@batches.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those that are not complete.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 500))
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
@click.pass_obj
def list_batches(settings: Settings, limit: int, *, only_open: bool, as_json: bool) -> None:
    """List batches, the last opened first."""
    from ledger import queries

    with _looking(settings) as db:
        found = queries.list_batches(db, only_open=only_open, size=limit)
    for batch in found:
        click.echo(_json(batch) if as_json else _line(batch))
    if not found and not as_json:
        click.echo("No such batch.")


@batches.command("show")
@click.argument("batch_id", metavar="ID", type=click.UUID)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_obj
def show_batch(settings: Settings, batch_id: UUID, *, as_json: bool) -> None:
    """Show one batch: how its jobs ended, those it waits for, those that died, and what followed."""
    from ledger import queries
    from models.ledger import State

    with _looking(settings) as db:
        batch = queries.read_batch(db, batch_id)
        if batch is None:
            raise NotConfigured(f"there is no batch {batch_id}: `nexara batches list` shows them")
        waits_for = queries.list_members(db, batch_id)
        died = queries.list_members(db, batch_id, State.DEAD)
    if as_json:
        listed = {"waits_for": [asdict(job) for job in waits_for], "died": [asdict(job) for job in died]}
        click.echo(json.dumps(_told(batch) | listed, default=str))
        return
    click.echo(_line(batch))
    click.echo(f"  business  {batch.business_id}")
    for each in batch.follow_ups:
        became = "not enqueued" if each.job_id is None else f"job {each.job_id}"
        click.echo(f"  {each.cue:<12}  {each.kind}  {became}")
    for heading, jobs in (("waits for", waits_for), ("died", died)):
        for job in jobs:
            click.echo(f"  {heading:<12}  job {job.id}  {job.kind}  {job.state}")


@batches.command("seal")
@click.argument("batch_id", metavar="ID", type=click.UUID)
@click.pass_obj
def seal_batch(settings: Settings, batch_id: UUID) -> None:
    """Seal the batch of ID, whose caller died before: it completes with the jobs that it has."""
    from ledger import batch, operate
    from workers.by_hand import connected

    try:
        with connected(settings) as db:
            operate.ask(db, batch.SEAL, {"id": batch_id})
    except operate.Refused as refused:
        raise NotConfigured(f"{refused}: `nexara batches list --open` shows them") from None
    click.echo(f"batch {batch_id} is sealed")


@contextmanager
def _looking(settings: Settings) -> Iterator[Connection]:
    from workers.by_hand import looking

    with looking(settings) as db:
        yield db


def _line(batch: Any) -> str:
    """Say of a batch how it stands."""
    ended = ", ".join(f"{number} {state}" for state, number in batch.ended.items() if number)
    more = "at least " if batch.at_least else ""
    when = f"opened {batch.opened_at:%Y-%m-%d %H:%M:%S}"
    if batch.completed_at:
        when += f", complete {batch.completed_at:%Y-%m-%d %H:%M:%S}"
    follows = ", ".join(f"{each.cue} {each.kind}" for each in batch.follow_ups)
    return f"{batch.id}  {batch.state:<8}  {more}{batch.open} open{', ' if ended else ''}{ended}  {when} UTC  {follows}"


def _told(batch: Any) -> dict[str, Any]:
    return {"state": batch.state, "members": batch.members, **asdict(batch)}


def _json(batch: Any) -> str:
    return json.dumps(_told(batch), default=str)
