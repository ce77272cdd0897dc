"""`nexara up` and `nexara demo`: the whole sandbox until Ctrl-C, and what came out of its conversations."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import create_engine

from migrations.apply import migrate
from providers.s3 import Objects
from sandbox.child import DidNotStart
from sandbox.operators import ROLES, let_in
from sandbox.outcome import Outcome, line, outcomes, table, troubles
from sandbox.samples.load import load
from sandbox.stack import Stack

FOLDER = Path(".nexara")
PATIENCE = 300.0
"""Seconds for every conversation of the demo to get there: tiny.en hears a call in about five on two cores."""
TELL_EVERY = 5.0
"""Seconds between two lines of progress where no terminal shows it all the time."""
INTERRUPTED = 130
"""The status of a demo that was to end by itself and did not get to: as shells say Ctrl-C."""


def up(*, fresh: bool) -> int:
    """Start everything, say where it is, and stay until told to stop."""
    console = Console()
    stack = Stack(None if fresh else FOLDER, tell=_teller(console))
    try:
        with stack.until_told():
            _start(console, stack)
            _say_where(console, stack)
            _stay()
    except KeyboardInterrupt:
        console.print("Stopped.")
    except DidNotStart as error:
        _say_why(console, error)
        return 1
    return 0


def demo(*, once: bool, calls: int | None = None) -> int:
    """Run the sample conversations through everything; status 0 if and only if each of them got there.

    `calls` is how many of the recorded calls to load, None for all.
    """
    console = Console()
    stack = Stack(None, tell=_teller(console))
    try:
        with stack.until_told():
            _start(console, stack)
            began = time.monotonic()
            loaded, chats = load(stack.env()["WEB_DATABASE_URL"], _objects(stack), calls)
            expected = loaded + chats
            console.print(f"Loaded two businesses with {loaded} recorded calls and {chats} chats.")
            found = _watch(console, stack, expected)
            took = time.monotonic() - began
            console.print(table(found))
            complete = sum(each.complete for each in found)
            _say_how_many(console, stack, complete, expected, took)
            if once:
                return 0 if complete == len(found) == expected else 1
            _say_where(console, stack)
            _stay()
    except KeyboardInterrupt:
        console.print("Stopped.")
        return INTERRUPTED if once else 0
    except DidNotStart as error:
        _say_why(console, error)
        return 1
    return 0


def _start(console: Console, stack: Stack) -> None:
    with _step(console, "Starting PostgreSQL, Redis, S3 and the local vendors …"):
        stack.start_servers()
    with _step(console, "Migrating …"):
        migrate(stack.env()["DATABASE_ADMIN_URL"], stack.passwords)
        let_in(stack.env()["DASHBOARD_DATABASE_URL"], stack.operators)
    with _step(console, "Starting dispatcher, worker, scheduler and dashboard …"):
        stack.start_engine()


@contextmanager
def _step(console: Console, what: str) -> Iterator[None]:
    """Show what is being done: on a terminal while it is, else as a line."""
    if console.is_terminal:
        with console.status(what):
            yield
    else:
        console.print(what)
        yield


def _objects(stack: Stack) -> Objects:
    env = stack.env()
    return Objects(
        endpoint=env["S3_ENDPOINT_URL"],
        region=env["S3_REGION"],
        access_key=env["S3_ACCESS_KEY_ID"],
        secret_key=env["S3_SECRET_ACCESS_KEY"],
        bucket=env["S3_BUCKET"],
    )


def _watch(console: Console, stack: Stack, expected: int) -> list[Outcome]:
    """Tell of each conversation that got there, and how far all are, until the last one or the end of patience."""
    engine = create_engine(stack.env()["DATABASE_ADMIN_URL"])
    until = time.monotonic() + PATIENCE
    told: set[str] = set()
    try:
        with _progress(console) as show:
            while True:
                found = outcomes(engine)
                done = [each for each in found if each.complete]
                for each in done:
                    if each.id not in told:
                        told.add(each.id)
                        console.print(f"✓ {line(each)}", markup=False, highlight=False, soft_wrap=True)
                heard = sum(each.text is not None for each in found)
                show(f"{heard} of {expected} in words, {len(done)} of {expected} told of by mail")
                stuck = len(found) == expected and not any(each.busy for each in found)
                if len(done) >= expected or stuck or time.monotonic() > until:
                    return found
                time.sleep(0.5)
    finally:
        engine.dispose()


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[str], None]]:
    """Yield what shows how far things are: on a terminal all the time, else as a line now and then."""
    if console.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("Listening …", total=None)
            yield lambda what: progress.update(task, description=what)
        return
    began = last = time.monotonic()

    def show(what: str) -> None:
        nonlocal last
        if time.monotonic() - last >= TELL_EVERY:
            last = time.monotonic()
            console.print(f"  {last - began:3.0f} s: {what}", highlight=False)

    yield show


def _teller(console: Console) -> Callable[[str], None]:
    return lambda what: console.print(what, style="yellow", markup=False)


def _say_why(console: Console, error: DidNotStart) -> None:
    console.print(str(error), style="red", markup=False, soft_wrap=True)  # it ends with lines of a log


def _say_how_many(console: Console, stack: Stack, complete: int, expected: int, took: float) -> None:
    if complete == expected:
        console.print(f"All {expected} conversations got there, in {took:.0f} s.", style="green")
        return
    console.print(f"{complete} of {expected} conversations got there, in {took:.0f} s.", style="red")
    engine = create_engine(stack.env()["DATABASE_ADMIN_URL"])
    for trouble in troubles(engine):
        console.print(f"  {trouble}", highlight=False)
    engine.dispose()


def _say_where(console: Console, stack: Stack) -> None:
    console.print(
        f"\n  on-call dashboard  {stack.dashboard_url}"
        + "".join(
            f"\n    sign in as       {name}, password {word} ({ROLES[name]})" for name, word in stack.operators.items()
        )
        + f"\n  sent mail          {stack.vendor_url('resend')}"
        f"\n  PostgreSQL         {stack.env()['DATABASE_ADMIN_URL']}"
        f"\n  logs               {stack.logs}"
        "\n\n  Try: open a job on the dashboard and retry it; look at a mail and see how little it tells;"
        "\n  kill -9 a worker while a call is heard. Ctrl-C stops everything.\n",
        soft_wrap=True,
        highlight=False,
    )


def _stay() -> None:
    sys.stdout.flush()
    while True:
        time.sleep(3600)
