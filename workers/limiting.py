"""What `nexara limits` does."""

import json
from dataclasses import asdict
from datetime import timedelta

import click

from ledger import limits
from ledger.queries.limits import LimitSeen, read_limits
from models.limits import Limited
from settings import Settings
from workers.by_hand import connected
from workers.pausing import me, operating


def list_limits(settings: Settings, *, as_json: bool) -> None:
    """Print the limits, a line each."""
    with connected(settings) as db:
        found = read_limits(db)
    for one in found:
        click.echo(json.dumps(asdict(one), default=str) if as_json else _line(one))
    if not found and not as_json:
        click.echo("Nothing is limited.")


def put(
    settings: Settings, subject: str, name: str, *, most: int | None, calls: int | None, seconds: float | None, why: str
) -> None:
    """Set a limit; raises NotConfigured with what is wrong."""
    limit = limits.Limit(most=most, calls=calls, per=None if seconds is None else timedelta(seconds=seconds))
    with operating(settings) as db:
        limits.set_limit(db, Limited(subject), name, limit, who=me(), why=why)
    click.echo(f"{subject} {name} is limited")


def drop(settings: Settings, subject: str, name: str) -> None:
    """Take a limit away; raises NotConfigured if there is none."""
    with operating(settings) as db:
        limits.drop_limit(db, Limited(subject), name)
    click.echo(f"{subject} {name} has no limit any more")


def unblock(settings: Settings, vendor: str) -> None:
    """End a vendor's pause."""
    with operating(settings) as db:
        had_one = limits.unblock(db, vendor)
    click.echo(f"{vendor} is asked again" if had_one else f"{vendor} has no pause")


def _line(one: LimitSeen) -> str:
    said = [f"{one.subject} {one.name}:"]
    if one.most is not None:
        said.append(f"at most {one.most} at once")
    if one.calls is not None and one.per is not None:
        said.append(f"at most {one.calls} calls in {one.per.total_seconds():g} s")
    if one.in_flight is not None:
        said.append(f"({one.in_flight} in flight)")
    if one.blocked_until is not None:
        said.append(f"asked for a pause until {one.blocked_until:%H:%M:%S} UTC")
    return f"{' '.join(said)}  since {one.since:%Y-%m-%d %H:%M} UTC, by {one.who}: {one.why}"
