"""What `nexara failures` shows."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from ledger import clock
from ledger.queries import JobFilter
from ledger.queries.failed import FailedGroup, group_failed, read_failed, read_hours
from ledger.queries.filters import read
from settings import Settings
from workers.by_hand import looking
from workers.wiring import NotConfigured


def list_failures(settings: Settings, given: Sequence[str], *, as_json: bool) -> None:
    """Print the groups of a filter, a line each."""
    with looking(settings) as db:
        groups = group_failed(db, filter_of(given))
    for group in groups:
        click.echo(json.dumps(asdict(group), default=str) if as_json else _line(group))
    if not groups and not as_json:
        click.echo("Nothing fails.")


def show_failure(settings: Settings, fingerprint: str, *, as_json: bool) -> None:
    """Print one group; raises NotConfigured if no job fails so now."""
    with looking(settings) as db:
        group = read_failed(db, fingerprint)
        hours = read_hours(db, fingerprint, clock.now())
    if group is None:
        raise NotConfigured(f"no job fails so now: `nexara failures list` shows what does, not {fingerprint!r}")
    if as_json:
        click.echo(json.dumps({**asdict(group), "hours": [asdict(hour) for hour in hours]}, default=str))
        return
    click.echo(_line(group))
    click.echo(f"  message   {group.message or 'unknown'}\n  place     {group.place or 'unknown'}")
    click.echo(f"  first     {group.first_seen:%Y-%m-%d %H:%M} UTC" if group.first_seen else "  first     forgotten")
    click.echo(f"  last      {group.last_seen:%Y-%m-%d %H:%M} UTC, job {group.sample}")
    for hour in hours:
        click.echo(f"  {hour.hour:%d %H:00}  {hour.attempts:>6} attempts  {hour.jobs:>6} jobs")


def filter_of(given: Sequence[str]) -> JobFilter:
    """Read FIELD=VALUE of a command line; raises NotConfigured with what is wrong."""
    pairs = dict(pair.partition("=")[::2] for pair in given)
    asked = read(pairs)
    for name in pairs:
        if name not in asked.given:
            raise NotConfigured(
                f"--filter: {name} is no field of a job, or empty: write FIELD=VALUE, such as state=dead"
            )
    for name, why in asked.wrong.items():
        raise NotConfigured(f"--filter {name}: {why}")
    return asked.wanted


def _line(group: FailedGroup) -> str:
    states = ", ".join(f"{state} {count}" for state, count in group.states.items())
    jobs = f"{group.jobs}{'+' if group.at_least else ''}"
    return f"{group.fingerprint}  {group.kind}  {group.code or group.error_class}  {jobs} jobs ({states})"
