"""How long a vendor asks us to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.pauses import LONGEST, asked_pause


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("12", 12.0),
        (" 12 ", 12.0),
        ("0.25", 0.25),
        ("901", 900.0),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0.0),
        ("Mon, 01 Jan 2001 00:00:00 -0000", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 900.0),
        ("Fri, 31 Dec 9999 23:59:59 -2300", None),
        ("inf", None),
        ("nan", None),
        ("1e3", None),
        ("٣", None),
    ],
)
def test_a_pause_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    assert asked_pause({"RETRY-AFTER": value}) == seconds


def test_no_header_is_no_pause() -> None:
    assert asked_pause(None) is None
    assert asked_pause({"content-type": "text/html"}) is None


@given(st.text() | st.integers().map(str) | st.datetimes().map(lambda moment: moment.strftime("%a, %d %b %Y %X GMT")))
def test_no_header_breaks_it(value: str) -> None:
    pause = asked_pause({"retry-after": value})
    assert pause is None or 0 <= pause <= LONGEST
