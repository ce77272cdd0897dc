"""`nexara privacy receipts` and `replay`: what was erased is proved, and repeated after a restore."""

import json
from datetime import datetime
from uuid import UUID

import click
from sqlalchemy import text

from ledger.audit import Actor, record
from settings import Settings
from workers.acting import by_somebody
from workers.wiring import NotConfigured

RECEIPTS = text("SELECT * FROM nexara.receipts_v1(:business)")
ENQUEUE = text("SELECT ledger.enqueue_job_v1('privacy.replay', CAST(:payload AS jsonb), :business)")


@click.command("receipts")
@click.argument("business", type=click.UUID)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
@click.pass_obj
def receipts(settings: Settings, business: UUID, *, as_json: bool) -> None:
    """Print the receipts of BUSINESS, oldest first, and check that none was changed or taken out."""
    from lifecycle.receipt import broken
    from models.erasures import Receipt
    from workers.by_hand import looking

    with looking(settings) as db:
        found = [dict(row) for row in db.execute(RECEIPTS, {"business": business}).mappings()]
    for each in found:
        click.echo(
            json.dumps(each, default=str)
            if as_json
            else f"{each['made_at']:%Y-%m-%d %H:%M}  {each['erasure_id']}  {each['hash']}"
        )
    wrong = broken([Receipt(business_id=business, **each) for each in found])
    if wrong:
        raise NotConfigured("; ".join(wrong))
    if not as_json:
        click.echo(f"{len(found)} receipts, and the chain holds")


@click.command("replay")
@click.option("--since", type=click.DateTime(), help="Only what was confirmed on that day or later: UTC.")
@click.option("--dry-run", is_flag=True, help="Say what would be replayed, and do nothing.")
@by_somebody()
@click.pass_obj
def replay(settings: Settings, since: datetime | None, actor: Actor, why: str | None, *, dry_run: bool) -> None:
    """Repeat the erasures that the journal outside the database tells of: the last step of every restore."""
    from datetime import UTC

    from ledger import clock
    from lifecycle.deadlines import read
    from lifecycle.journal import SPARE
    from workers.by_hand import connected, refusals
    from workers.replaying import journal

    after = since.replace(tzinfo=UTC) if since else None
    count = 0
    with refusals(), connected(settings) as db:
        reaches = clock.now() - read(db).backups - SPARE
        if after is None or after < reaches:
            day = f"{reaches:%Y-%m-%d}"
            click.echo(f"The journal reaches back to {day}: of what was completed before, it has no entry.")
            click.echo("A backup from before that day must not be used: what it has again, nothing would erase.")
        for entry in journal(settings):
            if after and entry.confirmed_at < after:
                continue
            count += 1
            click.echo(f"{entry.confirmed_at:%Y-%m-%d %H:%M}  {entry.business_id}  {entry.erasure_id}  {entry.scope}")
            if not dry_run:
                payload = json.dumps({"erasure_id": str(entry.erasure_id)})
                db.execute(ENQUEUE, {"payload": payload, "business": entry.business_id})
        if count and not dry_run:
            record(db, actor, "privacy.replay", why=why, about={"erasures": count})
    click.echo(f"{count} erasures {'would be' if dry_run else 'are'} repeated")
