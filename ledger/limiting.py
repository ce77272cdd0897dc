"""Limits changed by hand: with the audit row, in one transaction."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ledger.audit import Actor, record
from ledger.limits import Limit, drop_limit, set_limit, unblock
from ledger.queries.limits import LimitSeen, read_limits
from models.limits import Limited


@dataclass(frozen=True, slots=True)
class Change:
    """Which limit is changed."""

    subject: Limited
    name: str

    def of(self, db: Connection) -> LimitSeen | None:
        """Return the limit as it is."""
        return next((one for one in read_limits(db) if (one.subject, one.name) == (self.subject, self.name)), None)


def put(db: Connection, change: Change, limit: Limit, *, actor: Actor, why: str) -> None:
    """Set a limit, or another one in its place; raises Refused."""
    before = change.of(db)
    set_limit(db, change.subject, change.name, limit, who=actor.name, why=why)
    _record(db, change, "limits.set", before, actor, why)


def drop(db: Connection, change: Change, *, actor: Actor, why: str | None) -> None:
    """Take a limit away; raises Refused if there is none."""
    before = change.of(db)
    drop_limit(db, change.subject, change.name)
    _record(db, change, "limits.drop", before, actor, why)


def end_pause(db: Connection, vendor: str, *, actor: Actor, why: str | None) -> bool:
    """Ask a vendor again before its pause is over; returns whether it had one."""
    had_one = unblock(db, vendor)
    if had_one:
        record(db, actor, "limits.unblock", why=why, about={"vendor": vendor})
    return had_one


def _record(
    db: Connection, change: Change, action: str, before: LimitSeen | None, actor: Actor, why: str | None
) -> None:
    about = {"subject": change.subject.value, "name": change.name}
    record(db, actor, action, why=why, about=about, before=_told(before), after=_told(change.of(db)))


def _told(limit: LimitSeen | None) -> dict[str, Any] | None:
    if limit is None:
        return None
    return {"most": limit.most, "calls": limit.calls, "seconds": limit.per and limit.per.total_seconds()}
