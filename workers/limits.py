"""`nexara limits`: what queues, vendors and businesses may have at once, and how often vendors are asked."""

import json
from dataclasses import asdict
from datetime import timedelta

import click

from ledger.audit import Actor
from ledger.queries.limits import LimitSeen
from settings import Settings
from workers.acting import by_somebody

SUBJECT = click.Choice(["queue", "vendor", "business"])


@click.group()
def limits() -> None:
    """Limit what queues, vendors and businesses have at once, and how often vendors are asked."""


@limits.command("list")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
@click.pass_obj
def list_limits(settings: Settings, *, as_json: bool) -> None:
    """List the limits, and how much of each is in use."""
    from ledger.queries import read_limits
    from workers.by_hand import connected

    with connected(settings) as db:
        found = read_limits(db)
    for one in found:
        click.echo(json.dumps(asdict(one), default=str) if as_json else _line(one))
    if not found and not as_json:
        click.echo("Nothing is limited.")


@limits.command("set")
@click.argument("subject", type=SUBJECT)
@click.argument("name")
@click.option("--most", type=click.IntRange(0), help="Jobs in flight at once; 0 stops it.")
@click.option("--calls", type=click.IntRange(1), help="Jobs begun in a span of time.")
@click.option("--per", "seconds", type=click.FloatRange(0, min_open=True), help="The span of --calls, in seconds.")
@by_somebody(must_say_why=True)
@click.pass_obj
def set_limit(
    settings: Settings,
    subject: str,
    name: str,
    most: int | None,
    calls: int | None,
    seconds: float | None,
    actor: Actor,
    why: str,
) -> None:
    """Limit a queue, a vendor or a business (by its id; `each` for those without a limit of their own)."""
    from ledger.limiting import Change, put
    from ledger.limits import Limit
    from models.limits import Limited
    from workers.by_hand import connected, refusals

    limit = Limit(most=most, calls=calls, per=None if seconds is None else timedelta(seconds=seconds))
    with refusals(), connected(settings) as db:
        put(db, Change(Limited(subject), name), limit, actor=actor, why=why)
    click.echo(f"{subject} {name} is limited")


@limits.command("drop")
@click.argument("subject", type=SUBJECT)
@click.argument("name")
@by_somebody()
@click.pass_obj
def drop_limit(settings: Settings, subject: str, name: str, actor: Actor, why: str | None) -> None:
    """Take a limit away."""
    from ledger.limiting import Change, drop
    from models.limits import Limited
    from workers.by_hand import connected, refusals

    with refusals(), connected(settings) as db:
        drop(db, Change(Limited(subject), name), actor=actor, why=why)
    click.echo(f"{subject} {name} has no limit any more")


@limits.command("unblock")
@click.argument("vendor")
@by_somebody()
@click.pass_obj
def unblock_vendor(settings: Settings, vendor: str, actor: Actor, why: str | None) -> None:
    """Ask a vendor again before the pause that it asked for is over."""
    from ledger.limiting import end_pause
    from workers.by_hand import connected, refusals

    with refusals(), connected(settings) as db:
        had_one = end_pause(db, vendor, actor=actor, why=why)
    click.echo(f"{vendor} is asked again" if had_one else f"{vendor} has no pause")


def told(one: LimitSeen) -> str:
    """Return what a limit lets through and what of it is in use, as words."""
    said = [f"{one.subject} {one.name}:"]
    if one.most is not None:
        said.append(f"at most {one.most} at once")
    if one.calls is not None and one.per is not None:
        said.append(f"at most {one.calls} calls in {one.per.total_seconds():g} s")
    if one.in_flight is not None:
        said.append(f"({one.in_flight} in flight)")
    if one.blocked_until is not None:
        said.append(f"asked for a pause until {one.blocked_until:%H:%M:%S} UTC")
    return " ".join(said)


def _line(one: LimitSeen) -> str:
    return f"{told(one)}  since {one.since:%Y-%m-%d %H:%M} UTC, by {one.who}: {one.why}"
