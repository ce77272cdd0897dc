"""The timetable."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from jobs.billing.payloads import ReconcileBilling
from jobs.conversations.payloads import RecoverConversations
from jobs.copies.payloads import SweepCopies
from jobs.privacy.payloads import CountMonths
from jobs.retention.payloads import SweepRetention
from ledger.payload import Payload
from schedules.wall_clock import WallClock


class Missed(StrEnum):
    """What becomes of ticks that nobody fired in time."""

    SKIP = "skip"  # noted, not run
    ONCE = "once"  # one run for all of them
    ALL = "all"  # each is run


@dataclass(frozen=True, slots=True)
class Schedule:
    """One entry: when, what, and what if it was missed. A daily tick is its local date, so it comes once a day."""

    name: str
    cron: str
    zone: str
    payload: Callable[[datetime], Payload]
    missed: Missed
    daily: bool
    about: str

    def __post_init__(self) -> None:
        """Refuse what runs all day by a clock that skips and repeats hours."""
        if not self.daily and self.zone != "UTC":
            raise TypeError(f"{self.name}: what is not daily goes by UTC")

    @property
    def trigger(self) -> WallClock:
        """When it is due."""
        return WallClock(self.cron, self.zone)

    def tick(self, due_at: datetime) -> str:
        """Name the tick: a local date if daily, else the instant in UTC, which no change of clocks repeats."""
        if self.daily:
            return due_at.astimezone(ZoneInfo(self.zone)).date().isoformat()
        return due_at.astimezone(UTC).isoformat(timespec="seconds")


TIMETABLE = (
    Schedule(
        name="retention",
        cron="30 2 * * *",
        zone="UTC",
        payload=lambda due_at: SweepRetention(as_of=due_at),
        missed=Missed.ONCE,
        daily=True,
        about="What has reached its end is deleted.",
    ),
    Schedule(
        name="anonymization",
        cron="0 3 8 * *",
        zone="UTC",
        payload=lambda due_at: CountMonths(as_of=due_at),
        missed=Missed.ONCE,
        daily=False,
        about="A month that is over is counted, once.",
    ),
    Schedule(
        name="reconciliation",
        cron="0 4 * * *",
        zone="UTC",
        payload=lambda due_at: ReconcileBilling(as_of=due_at),
        missed=Missed.ALL,
        daily=True,
        about="Every ended conversation has its meter rows.",
    ),
    Schedule(
        name="recovery",
        cron="*/10 * * * *",
        zone="UTC",
        payload=lambda due_at: RecoverConversations(as_of=due_at),
        missed=Missed.SKIP,
        daily=False,
        about="An ended conversation that nobody enqueued, or whose job died with its worker, is taken up again.",
    ),
    Schedule(
        name="copies",
        cron="*/10 * * * *",
        zone="UTC",
        payload=lambda due_at: SweepCopies(as_of=due_at),
        missed=Missed.SKIP,
        daily=False,
        about="Copies at vendors and in the bucket that are still to go are followed up.",
    ),
)
