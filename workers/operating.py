"""What `nexara operations` does, and asking for an operation at the command line."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import click

from ledger import operations as ledger_operations
from ledger.audit import Actor
from ledger.queries import operations as queries
from ledger.queries.targets import Targets, find_targets
from models.operations import Action
from settings import Settings
from workers.by_hand import connected, looking, refusals
from workers.failing import filter_of
from workers.wiring import NotConfigured


def ask(
    settings: Settings,
    what: str,
    given: Sequence[str],
    *,
    actor: Actor,
    why: str,
    yes: bool,
    as_json: bool,
    spread: int = 0,
) -> None:
    """Count the jobs, ask back, and ask for the operation; raises NotConfigured with what is wrong."""
    action, wanted = Action(what), filter_of(given)
    if as_json and not yes:
        raise NotConfigured("--json answers no question: say --yes, too")
    with looking(settings) as db:
        found = find_targets(db, action, wanted)
    if not found.total:
        raise NotConfigured(
            f"no job that passes this filter can be {action}{'ed' if action is Action.DISCARD else 'd'}"
        )
    if not yes:
        click.echo(_told(action, found), err=True)
        click.confirm("Go on?", abort=True, err=True)
    with refusals(), connected(settings) as db:
        over = timedelta(minutes=spread)
        made = ledger_operations.create(db, actor, action, wanted, why=why, spread=over)
    if as_json:
        click.echo(json.dumps({"operation": str(made.id), "jobs": found.total}))
    else:
        click.echo(f"operation {made.id}: `nexara operations show {made.id}` says how far it is")


def list_operations(settings: Settings, *, as_json: bool) -> None:
    """Print the latest operations, a line each."""
    with looking(settings) as db:
        found = queries.list_operations(db)
    for each in found:
        click.echo(json.dumps(asdict(each), default=str) if as_json else _line(each))
    if not found and not as_json:
        click.echo("Nobody has asked for one yet.")


def show_operation(settings: Settings, operation_id: UUID, *, as_json: bool) -> None:
    """Print one operation; raises NotConfigured if there is none."""
    with looking(settings) as db:
        each = queries.read_operation(db, operation_id)
        if each is None:
            raise NotConfigured(f"there is no operation {operation_id}: they are forgotten 90 days after their end")
        states = queries.read_touched(db, each).states
    if as_json:
        click.echo(json.dumps({**asdict(each), "jobs_now": states}, default=str))
        return
    click.echo(_line(each))
    click.echo(f"  asked for {each.created_at:%Y-%m-%d %H:%M} UTC by {each.who}: {each.why}")
    for why, count in each.skipped.items():
        click.echo(f"  left out  {count}: {why.replace('_', ' ')}")
    for state, count in states.items():
        click.echo(f"  now       {count} {state}")
    if each.stuck:
        click.echo(f"  nobody goes on with it: run `nexara jobs retry {each.job_id}`")


def cancel_operation(settings: Settings, operation_id: UUID, *, actor: Actor, why: str | None) -> None:
    """Cancel the rest; raises NotConfigured with what is wrong."""
    with refusals(), connected(settings) as db:
        ledger_operations.cancel(db, actor, operation_id, why=why)
    click.echo(f"operation {operation_id} is cancelled: what was done stays done")


def _told(action: Action, found: Targets) -> str:
    states = ", ".join(f"{state} {count}" for state, count in found.states.items())
    kinds = ", ".join(f"{kind} {count}" for kind, count in found.kinds.items())
    sample = "\n".join(
        f"  {job.id:>8}  {job.kind}  {job.state}  {job.last_error.code or '' if job.last_error else ''}".rstrip()
        for job in found.sample
    )
    more = " at most; ask again for the rest" if found.more else ""
    return f"{action} {found.total} jobs{more}: {states}; {kinds}; of {found.businesses} businesses, such as\n{sample}"


def _line(each: queries.OperationSeen) -> str:
    how_far = (
        f"{each.done} done, {each.left_out} left out, {each.to_do} {'to do' if not each.finished_at else 'not come to'}"
    )
    return f"{each.id}  {each.action} {each.total} jobs  {each.state}  {how_far}"
