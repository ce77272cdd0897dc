"""A lead's card: what is believed of it."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from providers.e164 import e164
from providers.lead import Card, Extracted, Known, believed
from providers.said import Said

BERLIN = ZoneInfo("Europe/Berlin")
KNOWN = Known(today=date(2026, 11, 23), zone=BERLIN, country="GB", caller_number="+447700900571")
TEXT = "My name is Helen Parker, call me on 07700 900318 or mail helen at example dot com. I want a quote."


def card(**changes: Any) -> Card:
    nothing = dict.fromkeys(["name", "phone", "email", "requested_at", "verbatim"])
    return Card.model_validate(nothing | {"intent": "quote", "urgency": "normal"} | changes)


def lead(text: str = TEXT, **changes: Any) -> Extracted:
    return believed(card(**changes), Said(text), KNOWN, input_tokens=10, output_tokens=2)


def test_what_was_said_is_made_good() -> None:
    assert lead(
        name="Helen Parker",
        phone="07700 900318",
        email="Helen@Example.com",
        requested_at="2026-11-24T10:30",
        verbatim="I want a quote.",
    ) == Extracted(
        name="Helen Parker",
        phone="+447700900318",
        email="helen@example.com",
        intent="quote",
        urgency="normal",
        requested_at=datetime(2026, 11, 24, 10, 30, tzinfo=BERLIN),
        verbatim="I want a quote.",
        input_tokens=10,
        output_tokens=2,
    )


@pytest.mark.parametrize("nothing", ["", "  ", "unknown", "N/A", "(not provided)", "None.", "null", "caller", "-"])
def test_nothing_stays_nothing_in_all_its_spellings(nothing: str) -> None:
    text = f"Caller: {nothing} unknown none null n/a"
    made = lead(text, name=nothing, phone=nothing, email=nothing, requested_at=nothing, verbatim=nothing)
    assert (made.name, made.phone, made.email, made.requested_at, made.verbatim) == (None,) * 5


def test_what_was_not_said_is_left_out() -> None:
    made = lead(name="Helen Carter", phone="07700 900319", email="helen@example.org", verbatim="I want it free.")
    assert (made.name, made.phone, made.email, made.verbatim) == (None, None, None, None)


def test_the_number_that_the_call_came_from_counts_as_said() -> None:
    assert lead(phone="+44 7700 900571").phone == "+447700900571"


@pytest.mark.parametrize("phone", ["12345", "900318", "+99912345678", "07700 900318 ext. 5", "helen", "++"])
def test_what_cannot_be_dialled_from_everywhere_is_no_number(phone: str) -> None:
    assert lead(f"it is {phone}", phone=phone).phone is None


@pytest.mark.parametrize("email", ["helen@", "helen@example", "a b@example.com", "a..b@example.com", "<h@x.com>"])
def test_what_no_mail_can_reach_is_no_address(email: str) -> None:
    assert lead(f"it is {email}", email=email).email is None


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-11-24T10:30", "2026-11-24T09:30"),
        ("2026-11-24T10:30:00", "2026-11-24T09:30"),
        ("2027-07-01T08:00", "2027-07-01T06:00"),
        ("2027-03-28T02:30", "2027-03-28T01:30"),  # the hour that Berlin skips: its clocks show 03:30
    ],
)
def test_a_local_time_becomes_a_moment_in_the_business_s_zone(local: str, utc: str) -> None:
    moment = lead(requested_at=local).requested_at
    assert moment is not None
    assert moment.astimezone(UTC) == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert moment.utcoffset() in {timedelta(hours=1), timedelta(hours=2)}


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-22T10:30",
        "2023-11-24T10:30",
        "2031-01-01T10:00",
        "2026-11-24",
        "2026-11-24T10:30Z",
        "2026-11-24T10:30+01:00",
        "2026-02-30T10:00",
        "tomorrow at ten",
        "9999-12-31T23:59",
        "0001-01-01T00:00",
    ],
)
def test_a_time_that_cannot_be_meant_is_left_out(time: str) -> None:
    assert lead(requested_at=time).requested_at is None


@pytest.mark.parametrize(
    "changes",
    [
        {"intent": "sale"},
        {"intent": None},
        {"urgency": "URGENT"},
        {"name": 5},
        {"extra": 1},
        {"name": ["Helen"]},
    ],
)
def test_a_card_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        card(**changes)


def test_a_card_without_all_its_keys_is_refused() -> None:
    with pytest.raises(ValidationError):
        Card.model_validate_json(json.dumps({"intent": "quote", "urgency": "low"}))


@given(
    text=st.text(),
    country=st.sampled_from(["GB", "US", "DE", "", "XX", "de", "💥"]),
    fields=st.fixed_dictionaries(
        {name: st.none() | st.text() for name in ("name", "phone", "email", "requested_at", "verbatim")}
    ),
)
def test_no_card_breaks_it_and_all_it_keeps_is_well_formed(
    text: str, country: str, fields: dict[str, str | None]
) -> None:
    known = Known(today=date(2026, 11, 23), zone=BERLIN, country=country, caller_number=None)
    made = believed(card(**fields), Said(text), known, input_tokens=0, output_tokens=0)
    assert made.phone is None or e164(made.phone, "") is not None
    assert made.requested_at is None or made.requested_at.tzinfo is BERLIN
    assert all(value != "" for value in (made.name, made.phone, made.email, made.verbatim))


@example(country="DE", digits="000000")
@example(country="DE", digits="000000000000000")
@given(country=st.sampled_from(["GB", "US", "DE", "IT", "FR", "AU"]), digits=st.text("0123456789", max_size=16))
def test_a_number_in_e164_reads_as_itself_from_everywhere(country: str, digits: str) -> None:
    if (number := e164(digits, country)) is not None:
        assert number.text.startswith("+")
        assert number.text[1:].isdecimal()
        assert len(number.text) <= 16
        again = e164(number.text, "")
        assert again is not None
        assert again.text == number.text
