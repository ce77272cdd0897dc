"""What people did by hand, newest first: of one job, or by filter, a page at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, text

from ledger.queries.walk import LARGEST, BadCursor
from models.audit import Audit
from models.operators import Role

SIZE = 50
MOST_OF_A_JOB = 100
rows = Audit.__table__.c
LISTED = (rows.id, rows.at, rows.who, rows.role, rows.action, rows.why, rows.about, rows.jobs, rows.before, rows.after)


BITMAPS = text("SELECT set_config('enable_bitmapscan', :on, true)")
OF_JOB = text("SELECT id FROM ledger.audit WHERE jobs @> ARRAY[CAST(:job AS bigint)]")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that an action changed; None is what was not there."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One action: who, in which role, what, why, on which jobs."""

    id: int
    at: datetime
    who: str
    role: Role
    action: str
    why: str | None
    about: dict[str, Any]
    jobs: tuple[int, ...]
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return what the action changed, by name."""
        before, after = self.before or {}, self.after or {}
        names = sorted({*before, *after})
        return tuple(
            Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
        )


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which actions: each condition where it is not None. `action` may end in a dot: all that begin so."""

    who: str | None = None
    action: str | None = None
    job: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page of actions, with the cursors of its neighbours."""

    rows: tuple[AuditRow, ...]
    next: str | None
    previous: str | None


def read_job_audit(db: Connection, job_id: int) -> tuple[AuditRow, ...]:
    """Return what people did to a job, newest first: the latest MOST_OF_A_JOB actions."""
    return list_audit(db, AuditFilter(job=job_id), size=MOST_OF_A_JOB).rows


def list_audit(
    db: Connection, wanted: AuditFilter, *, after: str | None = None, before: str | None = None, size: int = SIZE
) -> AuditPage:
    """List actions, newest first, after a cursor or before one; raises BadCursor."""
    backwards = before is not None
    asked = _filtered(wanted)
    if wanted.job is not None:
        asked = asked.where(rows.id.in_(_of_job(db, wanted.job)))
    if backwards:
        asked = asked.where(rows.id > _id(before)).order_by(rows.id)
    else:
        asked = asked.where(rows.id < _id(after)) if after is not None else asked
        asked = asked.order_by(rows.id.desc())
    found = [_row(row) for row in db.execute(asked.limit(size + 1))]
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    newer, older = (more, bool(found)) if backwards else (after is not None, more)
    return AuditPage(
        rows=tuple(found),
        next=str(found[-1].id) if found and older else None,
        previous=str(found[0].id) if found and newer else None,
    )


def _filtered(wanted: AuditFilter) -> Select[Any]:
    asked = select(*LISTED)
    if wanted.who is not None:
        asked = asked.where(rows.who == wanted.who)
    if wanted.action is not None and wanted.action.endswith("."):
        asked = asked.where(rows.action.startswith(wanted.action, autoescape=True))
    elif wanted.action is not None:
        asked = asked.where(rows.action == wanted.action)
    if wanted.since is not None:
        asked = asked.where(rows.at >= wanted.since)
    if wanted.until is not None:
        asked = asked.where(rows.at < wanted.until)
    return asked


def _of_job(db: Connection, job_id: int) -> list[int]:
    """Return the actions on a job. Their index is of the sort that a transaction for looking does without."""
    db.execute(BITMAPS, {"on": "on"})
    found = list(db.execute(OF_JOB, {"job": job_id}).scalars())
    db.execute(BITMAPS, {"on": "off"})
    return found


def _id(cursor: str | None) -> int:
    if cursor is None or not cursor.isascii() or not cursor.isdecimal() or int(cursor) > LARGEST:
        raise BadCursor("this is no page of this list")
    return int(cursor)


def _row(row: Any) -> AuditRow:
    values = row._mapping
    return AuditRow(**{**values, "role": Role(values["role"]), "jobs": tuple(values["jobs"])})
