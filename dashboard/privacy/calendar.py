"""The retention calendar: what goes on which day, and by which days the businesses that left are gone."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dashboard.site import site
from ledger import clock
from ledger.queries import looking
from lifecycle.counted import ROWS
from lifecycle.deadlines import Deadlines, read
from lifecycle.forecast import Cause, Going, forecast

SPANS = {7: "7 days", 30: "30 days", 90: "90 days"}
PATIENCE = 2.0
"""Seconds for which one page counts; the command counts for as long as it takes."""
CANCELLED = "57014"
BOUNDED = text("SELECT set_config('statement_timeout', '3s', true)")
ENDS = text("SELECT * FROM nexara.ends_v1(CAST(:business AS uuid)) WHERE ended_at IS NOT NULL ORDER BY ended_at, 1")


@dataclass(slots=True)
class Day:
    """What goes on one day, by table and store; and how much of it because a business left."""

    day: date
    rows: Counter[str] = field(default_factory=Counter)
    copies: Counter[str] = field(default_factory=Counter)
    businesses: set[UUID] = field(default_factory=set)
    ending: set[UUID] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Counted:
    """The days on which something goes; `whole` says that nothing was left out for want of time."""

    days: tuple[Day, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Leaving:
    """A business that left, and the days by which it is gone."""

    business_id: UUID
    ended_at: datetime
    rows_by: datetime
    vendors_by: datetime
    last_by: datetime
    erasing_at: datetime | None
    erased_at: datetime | None


def page(request: Request) -> Response:
    """Show what goes in the days to come."""
    here, now = site(request), clock.now()
    days = _days(request)
    with looking(here.engine) as db:
        db.execute(BOUNDED)
        deadlines = read(db)
        leaving = [_leaving(row, deadlines) for row in db.execute(ENDS, {"business": None})]
        counted = count(db, now, now + timedelta(days=days))
    return here.pages.answer(
        request,
        "privacy/calendar.html",
        counted=counted,
        leaving=[each for each in leaving if each.erased_at is None],
        deadlines=deadlines,
        days=days,
        spans=SPANS,
        most=max((sum(day.rows.values()) + sum(day.copies.values()) for day in counted.days), default=1),
    )


def count(db: Connection, since: datetime, until: datetime, patience: float = PATIENCE) -> Counted:
    """Count what goes, business by business, for as long as a page may take."""
    began = time.monotonic()
    days: defaultdict[date, Day] = defaultdict(lambda: Day(since.date()))
    try:
        for going in forecast(db, since, until):
            _add(days, going)
            if time.monotonic() - began > patience:
                return Counted(_sorted(days.values()), whole=False)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != CANCELLED:
            raise
        return Counted(_sorted(days.values()), whole=False)
    return Counted(_sorted(days.values()), whole=True)


def _add(days: Mapping[date, Day], going: Going) -> None:
    day = days[going.day]
    day.day = going.day
    (day.rows if going.what == ROWS else day.copies)[going.table if going.what == ROWS else going.what] += going.amount
    if going.business_id is not None:
        day.businesses.add(going.business_id)
        if going.cause is Cause.END:
            day.ending.add(going.business_id)


def _sorted(days: Iterable[Day]) -> tuple[Day, ...]:
    return tuple(sorted(days, key=lambda each: each.day))


def _days(request: Request) -> int:
    asked = request.query_params.get("days", "30")
    if asked not in {str(days) for days in SPANS}:
        raise HTTPException(404, "The calendar shows 7, 30 or 90 days; `nexara retention forecast --days` any number.")
    return int(asked)


def _leaving(row: Any, deadlines: Deadlines) -> Leaving:
    def after(days: int) -> datetime:
        moment: datetime = row.ended_at + timedelta(days=days)
        return moment

    return Leaving(
        row.business_id,
        row.ended_at,
        after(deadlines.rows),
        after(deadlines.vendors),
        after(deadlines.last),
        row.erasing_at,
        row.erased_at,
    )
