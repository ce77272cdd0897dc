"""What somebody has to look at: data that should be gone and is not, and countries whose law nobody looked up."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

ASK = text("SELECT alarm, business_id, days, country, businesses FROM nexara.retention_alarms_v1(:now)")
PAST_LAST = "past_last"
"""The day that is never to be passed has been."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong, in a sentence, and what to do."""

    urgent: bool
    title: str
    advice: str


def alarms(db: Connection, now: datetime) -> tuple[Alarm, ...]:
    """Return what is wrong with retention, the businesses that left first before the others."""
    return tuple(_told(db, now))


def _told(db: Connection, now: datetime) -> Iterator[Alarm]:
    for alarm, business_id, days, country, businesses in db.execute(ASK, {"now": now}):
        if business_id is None:
            yield Alarm(
                urgent=False,
                title=f"Nobody looked up for how long {country} wants billing records kept",
                advice=f"{businesses} of its businesses keep theirs for the longest period we know. Have the law looked"
                " up, and add it to nexara.keep_periods.",
            )
        else:
            yield _late(alarm, business_id, days)


def _late(alarm: str, business_id: UUID, days: int) -> Alarm:
    return Alarm(
        urgent=alarm == PAST_LAST,
        title=f"A business left {days} days ago and is not erased",
        advice=f"Business {business_id}. `nexara jobs list --kind retention.end` and `nexara privacy list` say how far"
        " it is; what its vendors still have is in `nexara privacy show`.",
    )
