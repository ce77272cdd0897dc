"""What `nexara pauses` and `nexara jobs snooze` do."""

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import click
from sqlalchemy import Connection

from ledger import clock, operate
from ledger import pause as ledger_pause
from settings import Settings
from workers.by_hand import connected
from workers.wiring import NotConfigured


def list_pauses(settings: Settings, *, as_json: bool) -> None:
    """Print what is paused, a line each."""
    with connected(settings) as db:
        found = ledger_pause.pauses(db)
    for one in found:
        if as_json:
            click.echo(json.dumps(asdict(one), default=str))
            continue
        named = {"queue": one.queue, "kind": one.kind, "business": one.business_id}
        what = ", ".join(f"{word} {value}" for word, value in named.items() if value is not None)
        click.echo(f"{one.id:>6}  {what}  since {one.since:%Y-%m-%d %H:%M} UTC, by {one.who}: {one.why}")
    if not found and not as_json:
        click.echo("Nothing is paused.")


def add(settings: Settings, *, queue: str | None, kind: str | None, business: str | None, why: str) -> None:
    """Pause; raises NotConfigured with what is wrong."""
    try:
        business_id = UUID(business) if business else None
    except ValueError:
        raise NotConfigured("--business must be a UUID") from None
    with operating(settings) as db:
        pause_id = ledger_pause.pause(db, who=me(), why=why, queue=queue, kind=kind, business_id=business_id)
    click.echo(f"pause {pause_id}")


def end(settings: Settings, pause_id: int) -> None:
    """Resume; raises NotConfigured with what is wrong."""
    with operating(settings) as db:
        ledger_pause.resume(db, pause_id, who=me())
    click.echo(f"pause {pause_id} has ended")


def snooze(settings: Settings, job_id: int, minutes: int) -> None:
    """Put off a job; raises NotConfigured with what is wrong."""
    until = clock.now() + timedelta(minutes=minutes)
    with operating(settings) as db:
        operate.snooze(db, job_id, until)
    click.echo(f"job {job_id} is put off until {until:%Y-%m-%d %H:%M} UTC")


@contextmanager
def operating(settings: Settings) -> Iterator[Connection]:
    """Yield a transaction whose refusals end the command with what they say."""
    try:
        with connected(settings) as db:
            yield db
    except operate.Refused as refused:
        raise NotConfigured(str(refused)) from None


def me() -> str:
    """Return the account that this runs under: who paused, for the page."""
    try:
        return f"{getpass.getuser()}, at the command line"
    except (KeyError, OSError):
        return "somebody at the command line"
