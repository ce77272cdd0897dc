"""Finds the day and the hour that a caller asks for."""

import re
from datetime import UTC, date, datetime, time, timedelta

from providers.numerals import numerals
from sandbox.vendors.conversation import Conversation

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
MONTH = "|".join(MONTHS)

ISO_DAY = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")
NAMED_DAY = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({MONTH})\b|\b({MONTH}) (?:the )?(\d{{1,2}})")
NEAR_DAY = re.compile(rf"\b(day after tomorrow|tomorrow|today|tonight|{'|'.join(WEEKDAYS)})\b")
PAST = re.compile(r"\b(last|was|came|repaired|cancel)\b")
"""What stands before a day that is not asked for, in the same sentence."""

CLOCK = r"(?<![\d-])(\d{1,2})(?:[:. ]?([0-5]\d))?(?![\d-])"
MEANT = r" ?(?=am\b|pm\b|a\.m|p\.m|o'?clock|in the )"
ENDS = rf"(?= *(?:$|[,;]|(?:on|or|and|if|is|please|would|works|this|next|today|tomorrow|{'|'.join(WEEKDAYS)})\b))"
HOUR = re.compile(rf"{CLOCK}{MEANT}|\b(?:at|around|about|by|for|after) {CLOCK}{ENDS}")
TWENTY_FOUR = re.compile(r"(?<![\d-])([01]?\d|2[0-3]):([0-5]\d)\b")
HALF = re.compile(r"\b(half|quarter) (past|to) (\d{1,2})\b")
MINUTES = {"half past": 30, "quarter past": 15, "quarter to": -15, "half to": -30}
NOON = re.compile(r"\b(noon|midday)\b")
MORNING = re.compile(r"\d ?a\.?m\b|\bmorning\b")
AFTERNOON = re.compile(r"\d ?p\.?m\b|\b(afternoon|evening|tonight)\b")

OPENS = 8
"""Hour from which "at eight" means the morning when nobody says which."""
TWELVE, DAY_HOURS = 12, 24
WAITS = 3
"""For so many sentences a day waits for its hour: "On Tuesday." "At what time?" "Let me see. At three."."""


def requested(conversation: Conversation) -> datetime | None:
    """Return the local day and hour asked for, without a zone; None unless both were said."""
    today = conversation.today
    if today is None:
        return None
    found: datetime | None = None
    waiting: date | None = None
    since = 0
    for sentence in conversation.of("caller"):
        plain = " ".join(numerals(re.findall(r"[\w:.'-]*\w|[,;]", sentence.lower())))
        day, hour = _day(plain, today), _hour(plain)
        since = 0 if day else since + 1
        waiting = day or (waiting if since < WAITS else None)
        if hour is not None and waiting is not None:
            found, waiting = datetime.combine(waiting, hour), None
    return found


def _day(said: str, today: date) -> date | None:
    if written := ISO_DAY.search(said):
        return _date(int(written[1]), int(written[2]), int(written[3]))
    if named := NAMED_DAY.search(said):
        number, month = int(named[1] or named[4]), MONTHS.index(named[2] or named[3]) + 1
        this_year = _date(today.year, month, number)
        return this_year if this_year is None or this_year >= today else _date(today.year + 1, month, number)
    near = [one[1] for one in NEAR_DAY.finditer(said) if not PAST.search(said[: one.start()])]
    return _near(near[-1], today) if near else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _near(word: str, today: date) -> date:
    ahead = {"today": 0, "tonight": 0, "tomorrow": 1, "day after tomorrow": 2}.get(word)
    if ahead is None:
        ahead = (WEEKDAYS.index(word) - today.weekday() - 1) % 7 + 1
    return today + timedelta(days=ahead)


def _hour(said: str) -> time | None:
    if NOON.search(said):
        return time(TWELVE)
    if exact := TWENTY_FOUR.search(said):
        return _of_day(int(exact[1]), int(exact[2]), said)
    if half := HALF.search(said):
        whole = datetime(2000, 1, 2, int(half[3]) % DAY_HOURS, tzinfo=UTC)
        whole += timedelta(minutes=MINUTES[f"{half[1]} {half[2]}"])
        return _of_day(whole.hour, whole.minute, said)
    if found := HOUR.search(said):
        return _of_day(int(found[1] or found[3]), int(found[2] or found[4] or 0), said)
    return None


def _of_day(hour: int, minute: int, said: str) -> time | None:
    if hour >= DAY_HOURS:
        return None
    morning, afternoon = MORNING.search(said), AFTERNOON.search(said)
    if hour < TWELVE and (afternoon or (not morning and hour < OPENS)):
        hour += TWELVE
    return time(0 if hour == TWELVE and morning and not afternoon else hour, minute)
