"""How much of a queue, a vendor or a business may be in flight, how often it may be asked, and its pauses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from ledger.operate import ask
from models.limits import Limited

EACH = "each"
"""The name of the limit of every business that has none of its own."""
SET = text("SELECT ledger.set_limit_v1(:who, :why, :subject, :name, :most, :calls, :per) IS NULL")
DROP = text("SELECT ledger.drop_limit_v1(:subject, :name) IS NULL")
BLOCK = text("SELECT ledger.block_vendor_v1(:vendor, :pause)")
UNBLOCK = text("SELECT ledger.unblock_vendor_v1(:vendor)")
PUBLISH = text("""
INSERT INTO ledger.limits (subject, name, most, calls, per, who, why)
VALUES ('vendor', :name, :most, :calls, :per, 'the engine', :why) ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`most` jobs in flight; `calls` in `per`, of which a second's worth may come at once. None: as many as come."""

    most: int | None = None
    calls: int | None = None
    per: timedelta | None = None


def set_limit(db: Connection, subject: Limited, name: str | UUID, limit: Limit, *, who: str, why: str) -> None:
    """Set a limit, or another one in its place; raises Refused."""
    values = {"most": limit.most, "calls": limit.calls, "per": limit.per}
    ask(db, SET, {"who": who, "why": why, "subject": subject.value, "name": str(name), **values})


def drop_limit(db: Connection, subject: Limited, name: str | UUID) -> None:
    """Take a limit away; raises Refused if there is none."""
    ask(db, DROP, {"subject": subject.value, "name": str(name)})


def block(db: Connection, vendor: str, pause: timedelta) -> None:
    """Let nobody ask this vendor for so long: it said so to one of us."""
    db.execute(BLOCK, {"vendor": vendor, "pause": pause})


def unblock(db: Connection, vendor: str) -> bool:
    """Ask a vendor again before its pause is over; returns whether it had one."""
    return bool(ask(db, UNBLOCK, {"vendor": vendor}))


def publish(db: Connection, limits: Mapping[str, Limit], why: str) -> None:
    """Write the vendors' own limits where there are none; what on-call has set stays."""
    for name, limit in limits.items():
        values = {"name": name, "most": limit.most, "calls": limit.calls, "per": limit.per, "why": why}
        db.execute(PUBLISH, values)
