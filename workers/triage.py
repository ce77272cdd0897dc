"""`nexara failures`, `nexara operations` and `nexara queues`; what they do is imported when they run."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ledger.audit import Actor
from settings import Settings
from workers.acting import by_somebody

Command = TypeVar("Command", bound=Callable[..., Any])
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
AS_LINES = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
OPERATION = click.argument("operation_id", metavar="ID", type=click.UUID)
A_DAY = 24 * 60


def filtered(command: Command) -> Command:
    """Give a command `--filter`, which reaches it as pairs of a field and a value."""
    fields = "Only jobs with this: state=, kind=, queue=, business=, id=, error=, since=, until=, chain= or failing=."
    return click.option("--filter", "given", multiple=True, metavar="FIELD=VALUE", help=fields)(command)


def asking(command: Command) -> Command:
    """Give a command what asking for an operation takes."""
    yes = click.option("--yes", is_flag=True, help="Do not ask back.")
    spread = click.option(
        "--spread",
        default=0,
        show_default=True,
        type=click.IntRange(0, A_DAY),
        help="Minutes over which they come due.",
    )
    return yes(spread(command))


@click.group()
def failures() -> None:
    """See what fails, by what failed alike; retry or discard all of it."""


@failures.command("list")
@filtered
@AS_LINES
@click.pass_obj
def list_failures(settings: Settings, given: tuple[str, ...], *, as_json: bool) -> None:
    """List what fails: the jobs that have not got over it, the largest group first."""
    from workers.failing import list_failures as show

    show(settings, given, as_json=as_json)


@failures.command("show")
@click.argument("fingerprint")
@AS_JSON
@click.pass_obj
def show_failure(settings: Settings, fingerprint: str, *, as_json: bool) -> None:
    """Show one failure: how often, since when, and the job that failed so last."""
    from workers.failing import show_failure as show

    show(settings, fingerprint, as_json=as_json)


@failures.command("retry")
@click.argument("fingerprint")
@filtered
@asking
@AS_JSON
@by_somebody(must_say_why=True)
@click.pass_obj
def retry_failure(settings: Settings, /, fingerprint: str, given: tuple[str, ...], **how: Any) -> None:
    """Retry all jobs that have failed so, in the background."""
    from workers.operating import ask

    ask(settings, "retry", (f"failing={fingerprint}", *given), **how)


@failures.command("discard")
@click.argument("fingerprint")
@filtered
@click.option("--yes", is_flag=True, help="Do not ask back.")
@AS_JSON
@by_somebody(must_say_why=True)
@click.pass_obj
def discard_failure(settings: Settings, /, fingerprint: str, given: tuple[str, ...], **how: Any) -> None:
    """Discard all jobs that have failed so, in the background."""
    from workers.operating import ask

    ask(settings, "discard", (f"failing={fingerprint}", *given), **how)


@click.group()
def operations() -> None:
    """See how far operations on many jobs are, and cancel them."""


@operations.command("list")
@AS_LINES
@click.pass_obj
def list_operations(settings: Settings, *, as_json: bool) -> None:
    """List the latest operations."""
    from workers.operating import list_operations as show

    show(settings, as_json=as_json)


@operations.command("show")
@OPERATION
@AS_JSON
@click.pass_obj
def show_operation(settings: Settings, operation_id: Any, *, as_json: bool) -> None:
    """Show one operation, and what became of its jobs."""
    from workers.operating import show_operation as show

    show(settings, operation_id, as_json=as_json)


@operations.command("cancel")
@OPERATION
@by_somebody()
@click.pass_obj
def cancel_operation(settings: Settings, operation_id: Any, actor: Actor, why: str | None) -> None:
    """Leave the rest of an operation undone; what was done stays done."""
    from workers.operating import cancel_operation as cancel

    cancel(settings, operation_id, actor=actor, why=why)


@click.group()
def queues() -> None:
    """See what waits in the queues, and what they are limited to."""


@queues.command("list")
@AS_LINES
@click.pass_obj
def list_queues(settings: Settings, *, as_json: bool) -> None:
    """List the queues: what is due, since when it waits, what runs, what is paused; limits and their use."""
    from workers.queueing import list_queues as show

    show(settings, as_json=as_json)
