"""Times, spans and numbers as people read them."""

from datetime import UTC, datetime, timedelta

from ledger import moments

SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86400
FINE = 10
"""Seconds under which a tenth matters."""
STEPS = ((2 * DAY, DAY, "day"), (90 * MINUTE, HOUR, "hour"), (90, MINUTE, "min"))


def relative(moment: datetime, now: datetime) -> str:
    """Return how long ago a moment was, or in how long it comes."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 1:
        return "now"
    words = _about(abs(seconds))
    return f"{words} ago" if seconds > 0 else f"in {words}"


def _about(seconds: float) -> str:
    for least, unit, name in STEPS:
        if seconds >= least:
            count = round(seconds / unit)
            return f"{count} {name}" if name == "min" else f"{count} {name}s"
    return f"{round(seconds)} s"


def exact(moment: datetime) -> str:
    """Return a moment in UTC, to the millisecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def machine(moment: datetime) -> str:
    """Return a moment for `<time datetime>`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(written: str) -> str:
    """Return a time that was typed, or stands in an address, as the instant that it is; nothing if it is none."""
    try:
        return moments.write(moments.read(written))
    except ValueError:
        return ""


def for_field(written: str) -> str:
    """Return the same as a field for times takes it, in UTC and no longer than need be; as it is if it is none."""
    try:
        moment = moments.read(written)
    except ValueError:
        return written
    parts = "milliseconds" if moment.microsecond else "seconds" if moment.second else "minutes"
    return moment.replace(tzinfo=None).isoformat(timespec=parts)


def span(length: timedelta | float) -> str:
    """Return how long something takes, given as a timedelta or in seconds."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    if seconds < SECOND:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < FINE:
        return f"{seconds:.1f} s".replace(".0 ", " ")
    parts = []
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        count, seconds = divmod(seconds, unit)
        if count:
            parts.append(f"{int(count)} {name}")
    return " ".join(parts[:2])


def number(count: int, at_least: bool = False, about: bool = False) -> str:
    """Return a number with its thousands set apart; with a plus if there are at least as many, ~ if about."""
    return f"{'~' if about else ''}{count:,}{'+' if at_least else ''}"


def jobs(count: int, at_least: bool = False) -> str:
    """Return so many jobs, in words."""
    return f"{number(count, at_least)} {'job' if count == 1 else 'jobs'}"
