"""What `nexara pauses` and `nexara jobs snooze` do."""

import json
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import click

from ledger import clock, operate
from ledger import pause as ledger_pause
from ledger.audit import Actor, record
from ledger.by_hand import change
from settings import Settings
from workers.by_hand import connected, refusals
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


def add(
    settings: Settings, *, queue: str | None, kind: str | None, business: str | None, actor: Actor, why: str
) -> None:
    """Pause; raises NotConfigured with what is wrong."""
    try:
        business_id = UUID(business) if business else None
    except ValueError:
        raise NotConfigured("--business must be a UUID") from None
    with refusals(), connected(settings) as db:
        pause_id = ledger_pause.pause(
            db, who=_at_the_command_line(actor), why=why, queue=queue, kind=kind, business_id=business_id
        )
        named = {"queue": queue, "kind": kind, "business_id": business_id}
        about = {"pause": pause_id} | {name: value for name, value in named.items() if value is not None}
        record(db, actor, "pauses.add", why=why, about=about)
    click.echo(f"pause {pause_id}")


def end(settings: Settings, pause_id: int, *, actor: Actor, why: str | None) -> None:
    """Resume; raises NotConfigured with what is wrong."""
    with refusals(), connected(settings) as db:
        ledger_pause.resume(db, pause_id, who=_at_the_command_line(actor))
        record(db, actor, "pauses.end", why=why, about={"pause": pause_id})
    click.echo(f"pause {pause_id} has ended")


def snooze(settings: Settings, job_id: int, minutes: int, *, actor: Actor, why: str | None) -> None:
    """Put off a job; raises NotConfigured with what is wrong."""
    until = clock.now() + timedelta(minutes=minutes)
    with refusals(), connected(settings) as db:
        changed = change(db, job_id, lambda db, job_id: operate.snooze(db, job_id, until))
        record(db, actor, "jobs.snooze", why=why, jobs=[job_id], before=changed.before, after=changed.after)
    click.echo(f"job {job_id} is put off until {until:%Y-%m-%d %H:%M} UTC")


def _at_the_command_line(actor: Actor) -> str:
    return f"{actor.name}, at the command line"
