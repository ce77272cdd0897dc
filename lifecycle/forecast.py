"""What will go on which day, and how much: rows, objects, vendors' copies. Reading alone: a dry run by construction.

By age: what the map says of each row, with all that ends with it. By the end of a business: on the day on which it
begins to be erased, all that it has left by then and that nothing makes us keep.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, text

from lifecycle.counted import ROWS
from lifecycle.deadlines import DAY, Deadlines, read
from lifecycle.ending import starts_at
from lifecycle.ends import tenant_tables
from models.data_map import Keep
from models.entries import rows, table_of

ENDS = text("SELECT business_id, ended_at, erasing_at FROM nexara.ends_v1(CAST(:business AS uuid))")
BY_AGE = text("SELECT source, day, what, amount FROM nexara.forecast_v1(:business, :since, :until) ORDER BY 2, 1, 3")
OF_THE_HOUSE = text("SELECT source, day, what, amount FROM nexara.house_forecast_v1(:since, :until) ORDER BY 2, 1")
HOLDINGS = text("SELECT source, what, amount FROM nexara.holdings_v1(:business)")


class Cause(StrEnum):
    """Why something goes."""

    AGE = "age"
    END = "end"  # its business left


@dataclass(frozen=True, slots=True)
class Going:
    """So much of one table goes on one day; `what` is rows, or the store that has the copies. No business: our own."""

    day: date
    business_id: UUID | None
    table: str
    what: str
    amount: int
    cause: Cause


def forecast(db: Connection, since: datetime, until: datetime, business_id: UUID | None = None) -> Iterator[Going]:
    """Yield what goes between two moments: ours, then each business; what is overdue counts for the first day."""
    deadlines = read(db)
    if business_id is None:
        for source, day, what, amount in db.execute(OF_THE_HOUSE, {"since": since, "until": until}).all():
            yield Going(day, None, source, what, amount, Cause.AGE)
    for each, ended_at, erasing_at in db.execute(ENDS, {"business": business_id}).all():
        yield from _of_business(db, each, since, until, None if erasing_at else ended_at, deadlines)


def _of_business(
    db: Connection, business_id: UUID, since: datetime, until: datetime, ended_at: datetime | None, deadlines: Deadlines
) -> Iterator[Going]:
    starts, held = None, {}
    if ended_at is not None:
        held = {(source, what): int(n) for source, what, n in db.execute(HOLDINGS, {"business": business_id})}
        starts = starts_at(ended_at, _by_store(held), deadlines)
    # The sweep of the day before begins it, so that it is gone by its day.
    ends = starts is not None and starts - DAY < until
    until_then = min(until, max(starts - DAY, since)) if starts is not None and ends else until
    aged = db.execute(BY_AGE, {"business": business_id, "since": since, "until": until_then})
    before: Counter[tuple[str, str]] = Counter()
    for source, day, what, amount in aged:
        before[source, what] += amount
        yield Going(day, business_id, source, what, amount, Cause.AGE)
    if starts is not None and ends:
        day = max(starts - DAY, since).astimezone(UTC).date()
        for (source, what), amount in sorted(held.items()):
            left = amount - before[source, what]
            if left > 0 and (what != ROWS or source not in kept()):
                yield Going(day, business_id, source, what, left, Cause.END)


def kept() -> frozenset[str]:
    """Return the tables whose rows stay for a reason when their business has left."""
    ours = {table.name for table in tenant_tables()}
    return frozenset(
        table_of(row).name
        for row in rows()
        if table_of(row).name in ours and any(isinstance(each, Keep) for each in row.__life__.after_cancellation)
    )


def _by_store(held: Mapping[tuple[str, str], int]) -> Mapping[str, int]:
    copies: Counter[str] = Counter()
    for (_, what), amount in held.items():
        if what != ROWS:
            copies[what] += amount
    return copies
