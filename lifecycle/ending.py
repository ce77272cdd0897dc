"""When a business that has left begins to be erased: as late as its rows may, as early as its vendors' copies must."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from lifecycle.counted import ROWS
from lifecycle.deadlines import DAY, Deadlines
from lifecycle.deleting import time_for

HOLDINGS = text("SELECT what, sum(amount) FROM nexara.holdings_v1(:business) WHERE what <> :rows GROUP BY what")


def starts_at(ended_at: datetime, copies: Mapping[str, int], deadlines: Deadlines) -> datetime:
    """Return when erasing begins: on the day by which rows are gone, or earlier by what copies need beyond the spare.

    Never before access ended.
    """
    beyond = max(time_for(copies) - deadlines.spare, timedelta())
    return max(ended_at + deadlines.rows * DAY - beyond, ended_at)


def is_due(ended_at: datetime, copies: Mapping[str, int], deadlines: Deadlines, as_of: datetime) -> bool:
    """Whether to begin now: the sweep comes once a day, and what it leaves for the next one would be a day late."""
    return starts_at(ended_at, copies, deadlines) <= as_of + DAY


def copies_of(db: Connection | Session, business_id: UUID) -> Mapping[str, int]:
    """Count a business's copies outside our tables, by store."""
    found = db.execute(HOLDINGS, {"business": business_id, "rows": ROWS})
    return Counter({str(store): int(count) for store, count in found})
