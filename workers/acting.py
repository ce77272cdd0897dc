"""Who acts at the command line: whoever `--who` names, else the account that the command runs under."""

import getpass
from collections.abc import Callable
from typing import Any, TypeVar

import click

from ledger.audit import Actor
from models.operators import Role

Command = TypeVar("Command", bound=Callable[..., Any])


def by_somebody(*, must_say_why: bool = False) -> Callable[[Command], Command]:
    """Give a command `--who` and `--why`, which reach it as `actor` and `why`: both are kept in the audit."""
    account = "Who does this, for the audit; your account's name, unless said."
    who = click.option("--who", "actor", callback=_actor, help=account)
    why = click.option("--why", required=must_say_why, help="The reason, for the audit: it names nobody.")
    return lambda command: who(why(command))


def _actor(_context: click.Context, _option: click.Parameter, name: str | None) -> Actor:
    return Actor((name or "").strip()[:100] or _account(), Role.CLI)


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
