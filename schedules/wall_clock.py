"""When a cron line is due by the clock on a wall, which skips an hour in spring and repeats one in autumn."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

MOMENT = timedelta(microseconds=1)


class WallClock(BaseTrigger):  # type: ignore[misc]  # APScheduler is not typed
    """What the clock skips is due as much later as it skips, and what it repeats is due the first time alone.

    APScheduler's own trigger is asked only about a clock that does neither: where one goes forward it leaves out the
    next midnight (https://github.com/agronholm/apscheduler/issues/529), and where one goes back it returns the same
    moment for ever (https://github.com/agronholm/apscheduler/issues/1021).
    """

    def __init__(self, cron: str, zone: str) -> None:
        self._cron = CronTrigger.from_crontab(cron, timezone=UTC)
        self._zone = ZoneInfo(zone)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Return the first moment due after the one before, or not before now if there was none; None: never."""
        after = previous_fire_time or now - MOMENT
        wall = after.astimezone(self._zone).replace(tzinfo=UTC)
        while True:
            upcoming: datetime | None = self._cron.get_next_fire_time(wall, wall + MOMENT)
            if upcoming is None:
                return None
            moment = upcoming.replace(tzinfo=self._zone, fold=0).astimezone(UTC)
            if moment > after:
                return moment
            wall = upcoming
