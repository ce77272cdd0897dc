"""`nexara jobs`, `nexara pauses` and `nexara limits`; what they do is imported when they run."""

import json
import sys
from typing import Any

import click

from ledger.audit import Actor
from settings import Settings
from workers.acting import by_somebody
from workers.triage import asking, filtered

JOB_ID = click.IntRange(1, 2**63 - 1)


@click.group()
def jobs() -> None:
    """Look at jobs, retry, cancel, put off and discard them."""


@jobs.command("list")
@click.option("--state", help="Only jobs in this state.")
@click.option("--kind", help="Only jobs of this kind.")
@filtered
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 500))
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
@click.pass_obj
def list_jobs(
    settings: Settings, state: str | None, kind: str | None, given: tuple[str, ...], limit: int, *, as_json: bool
) -> None:
    """List jobs, newest first, or in the order that fits their state."""
    from workers.by_hand import list_jobs as show
    from workers.failing import filter_of

    show(settings, filter_of(given), state=state, kind=kind, limit=limit, as_json=as_json)


@jobs.command("show")
@click.argument("job_id", type=JOB_ID)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_obj
def show_job(settings: Settings, job_id: int, *, as_json: bool) -> None:
    """Show one job: its attempts, and the chain it belongs to."""
    from workers.by_hand import show_job as show

    show(settings, job_id, as_json=as_json)


@jobs.command("retry")
@click.argument("job_ids", type=JOB_ID, nargs=-1)
@filtered
@asking
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@by_somebody()
@click.pass_obj
def retry_jobs(settings: Settings, /, job_ids: tuple[int, ...], given: tuple[str, ...], **how: Any) -> None:
    """Make failed, parked or waiting jobs available now; with --filter, all that pass it, in the background."""
    _one_by_one_or_all(settings, "retry", job_ids, given, how)


@jobs.command("retry-now")
@click.argument("job_ids", type=JOB_ID, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@by_somebody()
@click.pass_obj
def run_jobs_now(settings: Settings, job_ids: tuple[int, ...], actor: Actor, why: str | None, *, as_json: bool) -> None:
    """Run jobs that wait for a time or a setting at once, their attempts as they stand."""
    from workers.by_hand import operate

    sys.exit(operate(settings, "run_now", job_ids, actor=actor, why=why, as_json=as_json))


@jobs.command("edit")
@click.argument("job_id", type=JOB_ID)
@click.argument("payload")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@by_somebody()
@click.pass_obj
def edit_job(settings: Settings, job_id: int, payload: str, actor: Actor, why: str | None, *, as_json: bool) -> None:
    """Change fields of a job's payload, given as a JSON object, and retry it; null leaves a field out."""
    from workers.by_hand import edit

    stored = edit(settings, job_id, payload, actor=actor, why=why)
    click.echo(json.dumps({"id": job_id, "payload": stored}) if as_json else f"job {job_id} is retried with {stored}")


@jobs.command("discard")
@click.argument("job_ids", type=JOB_ID, nargs=-1)
@filtered
@click.option("--yes", is_flag=True, help="Do not ask back.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@by_somebody()
@click.pass_obj
def discard_jobs(settings: Settings, /, job_ids: tuple[int, ...], given: tuple[str, ...], **how: Any) -> None:
    """Put jobs aside for good; with --filter, all that pass it, in the background."""
    _one_by_one_or_all(settings, "discard", job_ids, given, how)


def _one_by_one_or_all(
    settings: Settings, what: str, job_ids: tuple[int, ...], given: tuple[str, ...], how: dict[str, Any]
) -> None:
    """Act on the jobs that are named, or ask for an operation on all that a filter names."""
    from workers.by_hand import operate
    from workers.operating import ask
    from workers.wiring import NotConfigured

    if bool(job_ids) == bool(given):
        raise NotConfigured("name jobs by their numbers, or all that pass a --filter: the one or the other")
    if given:
        if not how["why"]:
            raise NotConfigured("an operation on many jobs says why: --why")
        ask(settings, what, given, **how)
        return
    sys.exit(operate(settings, what, job_ids, actor=how["actor"], why=how["why"], as_json=how["as_json"]))


@jobs.command("cancel")
@click.argument("job_ids", type=JOB_ID, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@by_somebody()
@click.pass_obj
def cancel_jobs(settings: Settings, job_ids: tuple[int, ...], actor: Actor, why: str | None, *, as_json: bool) -> None:
    """End jobs that need not be done any more; running ones at their next checkpoint."""
    from workers.by_hand import operate

    sys.exit(operate(settings, "cancel", job_ids, actor=actor, why=why, as_json=as_json))


@jobs.command("snooze")
@click.argument("job_id", type=JOB_ID)
@click.option("--minutes", required=True, type=click.IntRange(1, 366 * 24 * 60), help="How long it is put off.")
@by_somebody()
@click.pass_obj
def snooze_job(settings: Settings, job_id: int, minutes: int, actor: Actor, why: str | None) -> None:
    """Put off a job that waits."""
    from workers.pausing import snooze

    snooze(settings, job_id, minutes, actor=actor, why=why)


@click.group()
def pauses() -> None:
    """Pause queues, kinds and businesses, and resume them."""


@pauses.command("list")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
@click.pass_obj
def list_pauses(settings: Settings, *, as_json: bool) -> None:
    """List what is paused."""
    from workers.pausing import list_pauses as show

    show(settings, as_json=as_json)


@pauses.command("add")
@click.option("--queue", help="Pause the jobs of this queue.")
@click.option("--kind", help="Pause the jobs of this kind.")
@click.option("--business", help="Pause the jobs of this business, by its id.")
@by_somebody(must_say_why=True)
@click.pass_obj
def add_pause(
    settings: Settings, queue: str | None, kind: str | None, business: str | None, actor: Actor, why: str
) -> None:
    """Let nothing start that matches all that is named; what runs goes on."""
    from workers.pausing import add

    add(settings, queue=queue, kind=kind, business=business, actor=actor, why=why)


@pauses.command("end")
@click.argument("pause_id", type=JOB_ID)
@by_somebody()
@click.pass_obj
def end_pause(settings: Settings, pause_id: int, actor: Actor, why: str | None) -> None:
    """Resume what a pause holds; PAUSE_ID is the number that the list shows."""
    from workers.pausing import end

    end(settings, pause_id, actor=actor, why=why)
