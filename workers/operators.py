"""`nexara operators`: who may sign in to the on-call pages, and as what."""

import json
import sys
from dataclasses import asdict

import click

from ledger.audit import Actor, record
from models.operators import ROLES
from settings import Settings
from workers.acting import by_somebody

A_ROLE = click.Choice([str(role) for role in ROLES])
EMPTY = "give a password: at the prompt, or with --password-stdin"


@click.group()
def operators() -> None:
    """Add, list and disable operators, give them roles and passwords."""


@operators.command("add")
@click.argument("name")
@click.option("--role", required=True, type=A_ROLE, help="What they may do.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the standard input.")
@by_somebody()
@click.pass_obj
def add(settings: Settings, name: str, role: str, actor: Actor, why: str | None, *, password_stdin: bool) -> None:
    """Add the operator NAME."""
    from ledger import operators as known
    from workers.by_hand import connected, refusals

    password = _password(from_stdin=password_stdin)
    with refusals(), connected(settings) as db:
        known.add(db, name, role, password)
        record(db, actor, "operators.add", why=why, about={"operator": name}, after={"role": role})
    click.echo(f"{name} may sign in as {role}")


@operators.command("list")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
@click.pass_obj
def show(settings: Settings, *, as_json: bool) -> None:
    """List the operators."""
    from ledger import operators as known
    from workers.by_hand import connected

    with connected(settings) as db:
        found = known.list_operators(db)
    for one in found:
        if as_json:
            click.echo(json.dumps(asdict(one), default=str))
            continue
        seen = f"signed in {one.signed_in_at:%Y-%m-%d %H:%M}" if one.signed_in_at else "never signed in"
        click.echo(f"{one.name}  {one.role}  {seen}{'  disabled' if one.disabled_at else ''}")
    if not found and not as_json:
        click.echo("There is no operator: `nexara operators add NAME --role admin` makes the first.")


@operators.command("role")
@click.argument("name")
@click.argument("role", type=A_ROLE, metavar="ROLE")
@by_somebody()
@click.pass_obj
def role(settings: Settings, name: str, role: str, actor: Actor, why: str | None) -> None:
    """Give NAME another ROLE, from their next request on."""
    from ledger import operators as known
    from workers.by_hand import connected, refusals

    with refusals(), connected(settings) as db:
        was = known.set_role(db, name, role)
        about = {"operator": name}
        record(db, actor, "operators.role", why=why, about=about, before={"role": was}, after={"role": role})
    click.echo(f"{name} is {role}")


@operators.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from the standard input.")
@by_somebody()
@click.pass_obj
def password(settings: Settings, name: str, actor: Actor, why: str | None, *, password_stdin: bool) -> None:
    """Give NAME another password, and sign them out everywhere."""
    from ledger import operators as known
    from workers.by_hand import connected, refusals

    new = _password(from_stdin=password_stdin)
    with refusals(), connected(settings) as db:
        known.set_password(db, name, new)
        record(db, actor, "operators.password", why=why, about={"operator": name})
    click.echo(f"{name} signs in with the new password")


@operators.command("disable")
@click.argument("name")
@click.option("--undo", is_flag=True, help="Let them in again.")
@by_somebody()
@click.pass_obj
def disable(settings: Settings, name: str, actor: Actor, why: str | None, *, undo: bool) -> None:
    """Let NAME in no more, at once."""
    from ledger import operators as known
    from workers.by_hand import connected, refusals

    with refusals(), connected(settings) as db:
        known.disable(db, name, disable=not undo)
        action = "operators.enable" if undo else "operators.disable"
        about = {"operator": name}
        record(db, actor, action, why=why, about=about, before={"disabled": undo}, after={"disabled": not undo})
    click.echo(f"{name} may sign in again" if undo else f"{name} cannot sign in any more")


def _password(*, from_stdin: bool) -> str:
    from workers.wiring import NotConfigured

    if from_stdin:
        given = sys.stdin.readline().rstrip("\n")
    else:
        given = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    if not given:
        raise NotConfigured(EMPTY)
    return str(given)
