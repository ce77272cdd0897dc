"""What a model notes of a caller, made good or left out: numbers in E.164, times with a zone."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict

from providers.e164 import e164
from providers.plain import plain
from providers.said import Said

Intent = Literal["booking", "quote", "question", "complaint", "cancellation", "callback", "other"]
Urgency = Literal["low", "normal", "high", "emergency"]

LONGEST_NAME: Final = 200
LONGEST_QUOTE: Final = 1000
FARTHEST: Final = timedelta(days=2 * 366)
"""A time beyond it is a misheard year, not an appointment."""

NOTHING: Final = frozenset(
    {
        "",
        "anonymous",
        "caller",
        "the caller",
        "empty",
        "n.a",
        "n/a",
        "nil",
        "none",
        "not available",
        "not given",
    }
    | {"not mentioned", "not provided", "not said", "not specified", "not stated", "null", "undefined"}
    | {"unknown", "unspecified", "user"}
)
SIGNS: Final = " .,:-\u2013\u2014?()[]<>'\""
EMAIL: Final = re.compile(
    r"(?=.{3,254}$)(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)
LOCAL_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Extracted:
    """A lead's facts, each said in the conversation or None; `phone` in E.164, `requested_at` aware."""

    name: str | None
    phone: str | None
    email: str | None
    intent: Intent
    urgency: Urgency
    requested_at: datetime | None
    verbatim: str | None
    input_tokens: int
    output_tokens: int


def _given(value: object) -> object:
    """Return None for the many ways in which a model writes nothing."""
    if not isinstance(value, str):
        return value
    value = plain(value)
    return None if value.casefold().strip(SIGNS) in NOTHING else value


Text = Annotated[str | None, BeforeValidator(_given)]


class Card(BaseModel):
    """The model's own answer, before anything in it is believed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Text
    phone: Text
    email: Text
    intent: Intent
    urgency: Urgency
    requested_at: Text
    verbatim: Text


@dataclass(frozen=True, slots=True)
class Known:
    """What we know of a conversation without the model: its local day, the business's zone and country."""

    today: date
    zone: ZoneInfo
    country: str
    caller_number: str | None


def believed(card: Card, said: Said, known: Known, *, input_tokens: int, output_tokens: int) -> Extracted:
    """Return the card with only what is well formed and was said."""
    return Extracted(
        name=_if(card.name, said.has_words, LONGEST_NAME),
        phone=_phone(card.phone, said, known),
        email=_email(card.email, said),
        intent=card.intent,
        urgency=card.urgency,
        requested_at=_moment(card.requested_at, known),
        verbatim=_if(card.verbatim, said.has_quote, LONGEST_QUOTE),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
    )


def _if(value: str | None, is_said: Callable[[str], bool], longest: int) -> str | None:
    return value if value and len(value) <= longest and is_said(value) else None


def _phone(value: str | None, said: Said, known: Known) -> str | None:
    """Return a number in E.164 if it can be one, and its digits were said or are the caller's own."""
    if (number := e164(value, known.country)) is None:
        return None
    national = number.national_digits
    return number.text if said.has_digits(national) or number.text == known.caller_number else None


def _email(value: str | None, said: Said) -> str | None:
    if value is None or not EMAIL.fullmatch(value := value.lower()):
        return None
    return value if said.has_address(value) else None


def _moment(value: str | None, known: Known) -> datetime | None:
    """Return a local time as a moment in the business's zone; None for a time before today or years ahead.

    A time with an offset is left out: the model was asked for none, so there is no telling what it means.
    """
    if value is None or not LOCAL_TIME.fullmatch(value):
        return None
    try:
        # By way of UTC, an hour that the clocks skip in spring becomes the one that they show instead.
        moment = datetime.fromisoformat(value).replace(tzinfo=known.zone).astimezone(UTC).astimezone(known.zone)
    except (ValueError, OverflowError):
        return None
    return moment if known.today <= moment.date() <= known.today + FARTHEST else None
