"""`nexara retention`: what will go on which day, and the sweep now."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import click

from ledger.audit import Actor
from settings import Settings
from workers.acting import by_somebody

if TYPE_CHECKING:
    from lifecycle.forecast import Going

FOREVER = 3660
DAY_OR_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def retention() -> None:
    """See what will go by age or because its business left, and have it go."""


@retention.command("forecast")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, FOREVER), help="How far to look ahead.")
@click.option("--business", type=click.UUID, help="Only this business, by its id.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
@click.pass_obj
def show_forecast(settings: Settings, days: int, business: UUID | None, *, as_json: bool) -> None:
    """Say what will go on which day, and how much; nothing is changed."""
    now = datetime.now(UTC)
    _print(_counted(settings, now, now + timedelta(days=days), business), as_json=as_json)


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--as-of", type=DAY_OR_MOMENT, help="With --dry-run: what would be over at that moment, in UTC.")
@click.option("--business", type=click.UUID, help="With --dry-run: only this business, by its id.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, with --dry-run one object a line.")
@by_somebody()
@click.pass_obj
def run(
    settings: Settings,
    as_of: datetime | None,
    business: UUID | None,
    actor: Actor,
    why: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Have everything go now whose time is over; the timetable does so every night."""
    from workers.by_hand import enqueue
    from workers.wiring import NotConfigured

    now = datetime.now(UTC)
    if dry_run:
        until = as_of.replace(tzinfo=UTC) if as_of else now
        _print(_counted(settings, min(now, until), until, business), as_json=as_json)
        return
    if as_of or business:
        raise NotConfigured(
            "--as-of and --business are for --dry-run: nothing goes before its time, and all of it then"
        )
    job_id = enqueue(settings, "retention.sweep", json.dumps({"as_of": now.isoformat()}), None, actor=actor, why=why)
    click.echo(json.dumps({"id": job_id}) if as_json else f"job {job_id} sweeps what is over")


def _counted(settings: Settings, since: datetime, until: datetime, business: UUID | None) -> "list[Going]":
    from sqlalchemy import text

    from lifecycle.forecast import forecast
    from workers.by_hand import looking

    with looking(settings) as db:
        # A business with millions of messages is counted for longer than a page may take.
        db.execute(text("SELECT set_config('statement_timeout', '10min', true)"))
        return list(forecast(db, since, until, business))


def _print(found: "Iterable[Going]", *, as_json: bool) -> None:
    by_day: dict[date, dict[str, dict[tuple[str, str], int]]] = defaultdict(lambda: defaultdict(dict))
    for each in found:
        if as_json:
            click.echo(json.dumps(_told(each)))
        of = str(each.business_id) if each.business_id else "our own"
        counts = by_day[each.day][of]
        counts[each.table, each.what] = counts.get((each.table, each.what), 0) + each.amount
    if as_json:
        return
    for day in sorted(by_day):
        click.echo(day.isoformat())
        for of, counts in by_day[day].items():
            click.echo(f"  {of}")
            for (table, what), amount in sorted(counts.items()):
                click.echo(f"    {amount:>9}  {table}" + (f", copies at {what}" if what != "rows" else ""))
    if not by_day:
        click.echo("Nothing goes.")


def _told(each: "Going") -> dict[str, object]:
    return {
        "day": each.day.isoformat(),
        "business_id": str(each.business_id) if each.business_id else None,
        "table": each.table,
        "what": each.what,
        "amount": each.amount,
        "cause": str(each.cause),
    }
