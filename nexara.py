"""The command line: `nexara --help`."""

import json
import signal
import sys
from importlib import import_module
from typing import Any

import click

from ledger.audit import Actor
from ledger.errors import Misconfigured
from settings import Settings, read
from workers.acting import by_somebody
from workers.wiring import NotConfigured

GROUPS = {
    "batches": "workers.batches",
    "failures": "workers.triage",
    "jobs": "workers.commands",
    "keys": "workers.keys",
    "limits": "workers.limits",
    "operations": "workers.triage",
    "operators": "workers.operators",
    "pauses": "workers.commands",
    "privacy": "workers.privacy",
    "queues": "workers.triage",
    "retention": "workers.retention",
}
"""Commands for people, and where each is: loaded when asked for, since a worker is a command too and needs none."""


class Group(click.Group):
    """Commands whose expected failures end in one clear line and status 2, not in a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List all, those that are not loaded too."""
        return sorted({*super().list_commands(ctx), *GROUPS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, loaded if need be."""
        if cmd_name not in GROUPS:
            return super().get_command(ctx, cmd_name)
        found = getattr(import_module(GROUPS[cmd_name]), cmd_name)
        assert isinstance(found, click.Command)  # noqa: S101 - a test lists all of them
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (NotConfigured, Misconfigured) as error:
            click.echo(f"nexara: {error.message if isinstance(error, Misconfigured) else error}", err=True)
            sys.exit(2)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(ctx: click.Context) -> None:
    """Background jobs and the data's whole life for an AI receptionist."""
    from pydantic import ValidationError

    try:
        ctx.obj = read()
    except ValidationError as error:
        for wrong in error.errors(include_input=False):
            click.echo(f"nexara: {str(wrong['loc'][0]).upper()}: {wrong['msg']}", err=True)
        sys.exit(2)


@main.command()
@click.option("--fresh", is_flag=True, help="Start from an empty folder that is removed at the end.")
def up(*, fresh: bool) -> None:
    """Start the whole sandbox: servers, vendors and the engine. Needs no settings."""
    from sandbox.run import up as run

    sys.exit(run(fresh=fresh))


@main.command()
@click.option("--once", is_flag=True, help="End by itself, with status 0 if and only if every conversation got there.")
@click.option("--calls", type=click.IntRange(0), help="Of the recorded calls only so many; each takes seconds to hear.")
def demo(*, once: bool, calls: int | None) -> None:
    """Start the sandbox, load two businesses with real calls, show what comes of them."""
    from sandbox.run import demo as run

    sys.exit(run(once=once, calls=calls))


@main.command()
@click.pass_obj
def worker(settings: Settings) -> None:
    """Run jobs."""
    from workers.main import run_worker

    run_worker(settings)


@main.command()
@click.pass_obj
def dispatcher(settings: Settings) -> None:
    """Move due jobs from the ledger to Redis, and take back those of dead workers."""
    from workers.main import run_dispatcher

    run_dispatcher(settings)


@main.command()
@click.pass_obj
def scheduler(settings: Settings) -> None:
    """Fire the timetable."""
    from workers.main import run_scheduler

    run_scheduler(settings)


@main.command()
@click.pass_obj
def dashboard(settings: Settings) -> None:
    """Serve the on-call pages."""
    from dashboard.main import serve
    from workers import log
    from workers.reach import reaching
    from workers.wiring import require

    require(dashboard_database_url=settings.dashboard_database_url)
    log.configure(settings.log_level, settings.log_format)
    # uvicorn raises the signal once more when it has stopped in order: that is no failure.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with reaching("DASHBOARD_DATABASE_URL", settings.dashboard_database_url):
        serve(settings)


@main.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database to this release; safe to repeat, and while workers run."""
    from lifecycle.deadlines import Deadlines
    from migrations.apply import migrate as apply
    from workers.reach import reaching
    from workers.wiring import require

    require(database_admin_url=settings.database_admin_url)
    deadlines = Deadlines(
        rows=settings.retention_rows_days,
        vendors=settings.retention_vendors_days,
        last=settings.retention_last_days,
        backups_live=settings.retention_backups_days,
    )
    passwords = {
        "nexara_worker": settings.worker_password.get_secret_value(),
        "nexara_web": settings.web_password.get_secret_value(),
        "nexara_dashboard": settings.dashboard_role_password.get_secret_value(),
    }
    with reaching("DATABASE_ADMIN_URL", settings.database_admin_url):
        given = {role: password for role, password in passwords.items() if password}
        apply(settings.database_admin_url, given, deadlines)
    click.echo("The database is at this release.")


@main.command()
@click.argument("kind")
@click.argument("payload")
@click.option("--business", help="The business's id; the house's jobs have none.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@by_somebody()
@click.pass_obj
def enqueue(
    settings: Settings,
    kind: str,
    payload: str,
    business: str | None,
    actor: Actor,
    why: str | None,
    *,
    as_json: bool,
) -> None:
    """Enqueue a job of KIND with PAYLOAD, a JSON object of ids, codes, flags and times."""
    from workers.by_hand import enqueue as put

    job_id = put(settings, kind, payload, business, actor=actor, why=why)
    click.echo(json.dumps({"id": job_id}) if as_json else f"job {job_id}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_obj
def doctor(settings: Settings, *, as_json: bool) -> None:
    """Say what is configured, what is reachable, what is wrong and how to mend it."""
    from workers.doctor import doctor as examine

    sys.exit(examine(settings, as_json=as_json))


if __name__ == "__main__":
    main()
