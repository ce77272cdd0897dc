"""`nexara keys`: the keys with which a business's own servers call the HTTP API."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import click
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ledger import clock
from ledger.audit import Actor, record
from ledger.keys import new_key
from ledger.operate import ask
from models.keys import Scope
from settings import Settings
from workers.acting import by_somebody
from workers.wiring import NotConfigured

CREATE = text(
    "SELECT ledger.create_api_key_v1(:id, :digest, :business, :name, CAST(:scopes AS text[]), :expires_at, :per_minute)"
)
LIST = text("SELECT * FROM ledger.list_api_keys_v1(:business)")
ROTATE = text("SELECT ledger.rotate_api_key_v1(:old, :id, :digest, :grace)")
REVOKE = text("SELECT ledger.revoke_api_key_v1(:id)")
A_WORD = "--name is a word: letters, digits and _ . : / -, at most 100; and BUSINESS is no nil UUID"


@click.group()
def keys() -> None:
    """Make, list, rotate and revoke keys to the HTTP API."""


@keys.command("create")
@click.argument("business", type=click.UUID)
@click.option("--name", required=True, help="What it is for, in a word.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([each.value for each in Scope]),
    help="What it may do.",
)
@click.option("--days", type=click.IntRange(1, 3650), help="How long it lives; until it is revoked, unless said.")
@click.option(
    "--per-minute",
    default=600,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help="How many requests it may send; a sixth of them at once.",
)
@by_somebody()
@click.pass_obj
def create(
    settings: Settings,
    business: UUID,
    name: str,
    scopes: tuple[str, ...],
    days: int | None,
    per_minute: int,
    actor: Actor,
    why: str | None,
) -> None:
    """Make a key of BUSINESS and print it, this once."""
    from workers.by_hand import connected, refusals

    key, written = new_key()
    expires_at = clock.now() + timedelta(days=days) if days else None
    with refusals(), connected(settings) as db:
        told = {"business": business, "name": name, "scopes": sorted({*scopes}), "expires_at": expires_at}
        told["per_minute"] = per_minute
        try:
            ask(db, CREATE, {**key.values, **told})
        except IntegrityError:
            raise NotConfigured(A_WORD) from None
        about = {"key": key.id, "business_id": business, "name": name, "scopes": told["scopes"]}
        record(db, actor, "keys.create", why=why, about=about, after={"expires_at": expires_at})
    _show_once(written)


@keys.command("list")
@click.argument("business", type=click.UUID, required=False)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
@click.pass_obj
def show(settings: Settings, business: UUID | None, *, as_json: bool) -> None:
    """List the keys of BUSINESS, or all."""
    from workers.by_hand import connected

    with connected(settings) as db:
        found = [dict(row) for row in db.execute(LIST, {"business": business}).mappings()]
    for key in found:
        click.echo(json.dumps(key, default=_plain) if as_json else _line(key))
    if not found and not as_json:
        click.echo("No such key.")


@keys.command("rotate")
@click.argument("key_id", metavar="ID", type=click.UUID)
@click.option(
    "--grace", default=60, show_default=True, type=click.IntRange(0), help="Minutes that the old one lives on."
)
@by_somebody()
@click.pass_obj
def rotate(settings: Settings, key_id: UUID, grace: int, actor: Actor, why: str | None) -> None:
    """Make a second key like the one of ID and print it, this once; the first ends after a while."""
    from workers.by_hand import connected, refusals

    key, written = new_key()
    with refusals(), connected(settings) as db:
        told = {**key.values, "old": key_id, "grace": timedelta(minutes=grace)}
        if not db.execute(ROTATE, told).scalar_one():
            raise NotConfigured(f"no key {key_id} lives: `nexara keys list` shows them, `create` makes one")
        record(db, actor, "keys.rotate", why=why, about={"key": key_id, "new": key.id, "grace_minutes": grace})
    _show_once(written)


@keys.command("revoke")
@click.argument("key_id", metavar="ID", type=click.UUID)
@by_somebody()
@click.pass_obj
def revoke(settings: Settings, key_id: UUID, actor: Actor, why: str | None) -> None:
    """End the key of ID now."""
    from workers.by_hand import connected, refusals

    with refusals(), connected(settings) as db:
        if not db.execute(REVOKE, {"id": key_id}).scalar_one():
            raise NotConfigured(f"there is no key {key_id}: `nexara keys list` shows them")
        record(db, actor, "keys.revoke", why=why, about={"key": key_id})
    click.echo(f"key {key_id} is revoked")


def _show_once(written: str) -> None:
    click.echo(written)
    click.echo("Keep it where secrets are kept: it is shown this once.", err=True)


def _line(key: dict[str, Any]) -> str:
    """Say of a key whose it is, what it may do, and whether it lives."""
    if key["revoked_at"]:
        standing = f"revoked {_minute(key['revoked_at'])}"
    elif key["expires_at"]:
        ended = key["expires_at"] <= clock.now()
        standing = f"{'expired' if ended else 'expires'} {_minute(key['expires_at'])}"
    else:
        standing = "living"
    used = f"used {_minute(key['last_used_at'])}" if key["last_used_at"] else "never used"
    return f"{key['id']}  {key['business_id']}  {key['name']}  {' '.join(key['scopes'])}  {standing}  {used}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
