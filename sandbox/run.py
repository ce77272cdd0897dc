"""`nexara up` and `nexara demo`: the whole sandbox until Ctrl-C, and what came out of its conversations."""

import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import create_engine

from migrations.apply import migrate
from providers.s3 import Objects
from sandbox.child import DidNotStart
from sandbox.outcome import Outcome, outcomes, table
from sandbox.samples.load import load
from sandbox.stack import Stack

FOLDER = Path(".nexara")
PATIENCE = 300.0
"""Seconds for every conversation of the demo to get there: tiny.en hears a call in about five on two cores."""


def up(*, fresh: bool) -> int:
    """Start everything, say where it is, and stay until told to stop."""
    console = Console()
    stack = Stack(None if fresh else FOLDER, tell=lambda line: console.print(f"[yellow]{line}"))
    try:
        with stack.until_told():
            _start(console, stack)
            _say_where(console, stack)
            _stay()
    except KeyboardInterrupt:
        console.print("Stopped.")
    except DidNotStart as error:
        console.print(f"[red]{error}")
        return 1
    return 0


def demo(*, once: bool) -> int:
    """Run the sample conversations through everything; status 0 if and only if each of them got there."""
    console = Console()
    stack = Stack(None, tell=lambda line: console.print(f"[yellow]{line}"))
    try:
        with stack.until_told():
            _start(console, stack)
            calls, chats = load(stack.env()["WEB_DATABASE_URL"], _objects(stack))
            console.print(f"Loaded two businesses with {calls} recorded calls and {chats} chats.")
            found = _watch(console, stack, calls + chats)
            console.print(table(found))
            complete = len(found) == calls + chats and all(each.complete for each in found)
            if not complete:
                console.print("[red]Not every conversation got there. `nexara jobs list` and the dashboard say why.")
            if once:
                return 0 if complete else 1
            _say_where(console, stack)
            _stay()
    except KeyboardInterrupt:
        console.print("Stopped.")
    except DidNotStart as error:
        console.print(f"[red]{error}")
        return 1
    return 0


def _start(console: Console, stack: Stack) -> None:
    with console.status("Starting PostgreSQL, Redis, S3 and the local vendors …"):
        stack.start_servers()
    with console.status("Migrating …"):
        migrate(stack.env()["DATABASE_ADMIN_URL"], stack.passwords)
    with console.status("Starting dispatcher, worker, scheduler and dashboard …"):
        stack.start_engine()


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
    """Show how far the conversations are, until all got there or the patience is over."""
    engine = create_engine(stack.env()["DATABASE_ADMIN_URL"])
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    until = time.monotonic() + PATIENCE
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("Listening …", total=expected)
            while True:
                found = outcomes(engine)
                done = sum(each.complete for each in found)
                heard = sum(each.text is not None for each in found)
                progress.update(
                    task,
                    completed=done,
                    description=f"{heard} of {expected} in words, {done} of {expected} told of by mail",
                )
                stuck = len(found) == expected and not any(each.busy for each in found)
                if done >= expected or stuck or time.monotonic() > until:
                    return found
                time.sleep(0.5)
    finally:
        engine.dispose()


def _say_where(console: Console, stack: Stack) -> None:
    console.print(
        f"\n  on-call dashboard  {stack.dashboard_url}   (user oncall, password {stack.dashboard_password})"
        f"\n  sent mail          {stack.vendor_url('resend')}"
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
