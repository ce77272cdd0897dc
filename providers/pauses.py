"""How long a vendor asks us to wait."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ledger.clock import now

LONGEST = 900.0
"""Seconds; a vendor's word is taken up to a quarter of an hour, after which asking again costs nothing."""

SECONDS = re.compile(r"\s*(\d{1,12}(?:\.\d{1,6})?)\s*", re.ASCII)


def asked_pause(headers: Mapping[str, str] | None) -> float | None:
    """Return the seconds that Retry-After names, as a number or as a date; None when it names none."""
    value = next((text for name, text in (headers or {}).items() if name.lower() == "retry-after"), None)
    if value is None:
        return None
    if match := SECONDS.fullmatch(value):
        return min(float(match[1]), LONGEST)
    date = _date(value)
    return None if date is None else min(max((date - now()).total_seconds(), 0.0), LONGEST)


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
