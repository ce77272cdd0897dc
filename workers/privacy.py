"""`nexara privacy`: erasures as the privacy officer asks for them, follows them and proves them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import click
from sqlalchemy import text

from ledger.audit import Actor, record
from ledger.operate import ask
from models.erasures import Decision, ReviewState, Scope
from settings import Settings
from workers.acting import by_somebody
from workers.audit_command import audit
from workers.privacy_lines import line, minute
from workers.proving import receipts, replay
from workers.wiring import NotConfigured

ASK = text("SELECT nexara.ask_erasure_v1(:business, :scope, :root, CAST(:identifiers AS text[]), :reason)")
DECIDE = text("SELECT nexara.decide_erasure_v1(:business, :erasure, :row, :decision)")
CONFIRM = text("SELECT nexara.confirm_erasure_v1(:business, :erasure)")
WITHDRAW = text("SELECT nexara.withdraw_erasure_v1(:business, :erasure)")
REVIEW = text("SELECT nexara.decide_review_v1(:business, :review, :state)")
AGAIN = text("SELECT nexara.ask_again_v1(:business, :erasure)")
LIST = text("SELECT * FROM nexara.erasures_v1(:business, :erasure, :open)")
MEANT = text("SELECT * FROM nexara.erasure_scope_v1(:business, :erasure)")
REVIEWS = text("SELECT * FROM nexara.reviews_v1(:business, :erasure)")
JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
BUSINESS = click.argument("business", type=click.UUID)
ERASURE = click.argument("erasure", type=click.UUID)


@click.group()
def privacy() -> None:
    """Erase somebody's data, see how far that is, and prove it."""


@privacy.command("erase")
@BUSINESS
@click.option("--scope", type=click.Choice([each.value for each in Scope]), required=True, help="What is to go.")
@click.option("--id", "root", type=click.UUID, help="The id of the person, recording, member or visitor.")
@click.option(
    "--identifiers",
    type=click.File(encoding="utf-8"),
    help="What a person is reached by: a file, or - for standard input; one number or address a line.",
)
@click.option("--reason", help="A word of the reason, such as request_2026_11_04.")
@JSON
@by_somebody()
@click.pass_obj
def erase(
    settings: Settings,
    business: UUID,
    scope: str,
    root: UUID | None,
    identifiers: Any,
    reason: str | None,
    actor: Actor,
    why: str | None,
    *,
    as_json: bool,
) -> None:
    """Ask for an erasure in BUSINESS: whom it means is found out, and waits for `confirm`.

    Numbers and addresses are read from a file or standard input: a command line would stay in the shell's history.
    """
    from workers.by_hand import connected, refusals

    typed = [line.strip() for line in identifiers if line.strip()] if identifiers else []
    told = {"business": business, "scope": scope, "root": root, "identifiers": typed, "reason": reason}
    with refusals(), connected(settings) as db:
        made = ask(db, ASK, told)
        record(
            db,
            actor,
            "privacy.erase",
            why=why,
            about={"business_id": business, "erasure": made},
            after={"scope": scope},
        )
    if as_json:
        click.echo(json.dumps({"erasure": str(made)}))
    else:
        click.echo(f"erasure {made}: `nexara privacy plan {business} {made}` says whom it means")


@privacy.command("list")
@click.argument("business", type=click.UUID, required=False)
@click.option("--open", "open_only", is_flag=True, help="Only those that are not completed.")
@JSON
@click.pass_obj
def show_all(settings: Settings, business: UUID | None, *, open_only: bool, as_json: bool) -> None:
    """List erasures, the latest first."""
    found = _rows(settings, LIST, {"business": business, "erasure": None, "open": open_only})
    for each in found:
        click.echo(_json(each) if as_json else line(each))
    if not found and not as_json:
        click.echo("No such erasure.")


@privacy.command("plan")
@BUSINESS
@ERASURE
@JSON
@click.pass_obj
def plan(settings: Settings, business: UUID, erasure: UUID, *, as_json: bool) -> None:
    """Show whom ERASURE means, what will go, and what somebody has to decide first. Changes nothing."""
    each = _one(settings, business, erasure)
    meant = _rows(settings, MEANT, {"business": business, "erasure": erasure})
    if as_json:
        click.echo(_json({**each, "meant": meant}))
        return
    click.echo(line(each))
    for row in meant:
        shared = ", shared with somebody else" if row["shared"] else ""
        click.echo(f"  {row['decision']:8} {row['source']} {row['row_id']}  ({row['evidence']}{shared})")
    for table, count in sorted(each["plan"].items()):
        click.echo(f"  goes     {count} of {table}")


@privacy.command("decide")
@BUSINESS
@ERASURE
@click.argument("row", type=click.UUID)
@click.argument("decision", type=click.Choice([Decision.INCLUDE.value, Decision.EXCLUDE.value]))
@by_somebody()
@click.pass_obj
def decide(
    settings: Settings, business: UUID, erasure: UUID, row: UUID, decision: str, actor: Actor, why: str | None
) -> None:
    """Say whether ROW, which may be somebody else's too, is meant."""
    told = {"business": business, "erasure": erasure, "row": row, "decision": decision}
    _act(settings, actor, "privacy.decide", DECIDE, told, why)
    click.echo(f"{decision}d {row}")


@privacy.command("confirm")
@BUSINESS
@ERASURE
@click.option("--yes", is_flag=True, help="Do not ask back.")
@by_somebody()
@click.pass_obj
def confirm(settings: Settings, business: UUID, erasure: UUID, actor: Actor, why: str | None, *, yes: bool) -> None:
    """Confirm ERASURE: from here on it goes, and nothing calls it back."""
    each = _one(settings, business, erasure)
    if not yes:
        click.echo(f"{line(each)}: {sum(each['plan'].values())} rows go, and what they leave elsewhere", err=True)
        click.confirm("Erase them?", abort=True, err=True)
    _act(settings, actor, "privacy.confirm", CONFIRM, {"business": business, "erasure": erasure}, why)
    click.echo(f"confirmed: `nexara privacy show {business} {erasure}` says how far it is")


@privacy.command("withdraw")
@BUSINESS
@ERASURE
@by_somebody()
@click.pass_obj
def withdraw(settings: Settings, business: UUID, erasure: UUID, actor: Actor, why: str | None) -> None:
    """Take back ERASURE, which was not confirmed yet."""
    _act(settings, actor, "privacy.withdraw", WITHDRAW, {"business": business, "erasure": erasure}, why)
    click.echo("withdrawn")


@privacy.command("show")
@BUSINESS
@ERASURE
@JSON
@click.pass_obj
def show(settings: Settings, business: UUID, erasure: UUID, *, as_json: bool) -> None:
    """Show how far ERASURE is, store by store, and what lapses when."""
    each = _one(settings, business, erasure)
    texts = _rows(settings, REVIEWS, {"business": business, "erasure": erasure})
    if as_json:
        click.echo(_json({**each, "reviews": texts}))
        return
    click.echo(line(each))
    for table, count in sorted(each["counts"].items()):
        click.echo(f"  gone      {count} of {table}")
    for copy in each["copies"]:
        when = copy["lapses_at"] or (copy["retry_at"] if copy["state"] not in ("confirmed", "lapses") else None)
        told = f", {'until' if copy['lapses_at'] else 'asked again'} {minute(when)}" if when else ""
        reason = f" ({copy['reason']})" if copy["reason"] else ""
        click.echo(f"  {copy['state']:9} {copy['copies']} {copy['what']} at {copy['store']}{reason}{told}")
    for review in texts:
        click.echo(f"  text {review['id']}  {review['state']}  {review['source']}.{review['field']} {review['row_id']}")


@privacy.command("review")
@BUSINESS
@click.argument("review_id", metavar="REVIEW", type=click.UUID)
@click.argument("state", type=click.Choice([ReviewState.REDACTED.value, ReviewState.CLEARED.value]))
@by_somebody()
@click.pass_obj
def review(settings: Settings, business: UUID, review_id: UUID, state: str, actor: Actor, why: str | None) -> None:
    """Say of a text of the business's own that it was redacted, or that it names somebody else."""
    told = {"business": business, "review": review_id, "state": state}
    _act(settings, actor, "privacy.review", REVIEW, told, why)
    click.echo(state)


@privacy.command("ask-again")
@BUSINESS
@ERASURE
@by_somebody()
@click.pass_obj
def ask_again(settings: Settings, business: UUID, erasure: UUID, actor: Actor, why: str | None) -> None:
    """Have the copies of ERASURE asked about again that waited for somebody, once they were seen to by hand."""
    _act(settings, actor, "privacy.ask_again", AGAIN, {"business": business, "erasure": erasure}, why)
    click.echo("asked again within ten minutes: it is gone when it is read back as gone")


def _act(settings: Settings, actor: Actor, name: str, does: Any, told: Mapping[str, Any], why: str | None) -> None:
    from workers.by_hand import connected, refusals

    with refusals(), connected(settings) as db:
        ask(db, does, dict(told))
        record(db, actor, name, why=why, about=told)


def _rows(settings: Settings, asked: Any, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    from workers.by_hand import looking

    with looking(settings) as db:
        return [dict(row) for row in db.execute(asked, told).mappings()]


def _one(settings: Settings, business: UUID, erasure: UUID) -> dict[str, Any]:
    found = _rows(settings, LIST, {"business": business, "erasure": erasure, "open": False})
    if not found:
        raise NotConfigured(f"there is no erasure {erasure} in that business: `nexara privacy list` shows them")
    return found[0]


def _json(told: Mapping[str, Any] | Sequence[Any]) -> str:
    return json.dumps(told, default=str)


for command in (audit, receipts, replay):
    privacy.add_command(command)
