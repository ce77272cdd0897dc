"""What counts as said, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.said import Said

CALL = """\
[00:01] Agent: Maple Court Dental, good morning.
[00:04] Caller: Hi, my name is José O'Brien-Smith, that's S M I T H.
[00:09] Agent: And your number?
[00:11] Caller: It is two one two, double five five,
[00:14] Agent: 212 555, yes?
[00:16] Caller: zero one forty two. My mail is jose dot smith at example dot com.
"""


@pytest.mark.parametrize("name", ["José", "jose o'brien-smith", "OBrien Smith", "SMITH", "Jose O\u2019Brien"])
def test_a_name_counts_as_said_however_it_is_written(name: str) -> None:
    assert Said(CALL).has_words(name)


@pytest.mark.parametrize("name", ["Joseph", "José Miller", "Dr. Smith", "", "...", "Smi"])
def test_a_name_of_which_a_word_was_not_said_does_not_count(name: str) -> None:
    assert not Said(CALL).has_words(name)


def test_names_in_scripts_without_blanks_count_too() -> None:
    assert Said("田中太郎です。").has_words("田中")
    assert not Said("田中太郎です。").has_words("山田")


@pytest.mark.parametrize(
    "text",
    [
        "It's 212-555-0142.",
        "two one two, five five five, oh one four two",
        "two twelve, triple five, zero one forty-two",
        "212... 555, hm, let me see, zero 1 4 two",
        "212 555 no wait 555 0142",
        "Caller: 2 1 2\nAgent: 2 1 2?\nCaller: 5 5 5\nAgent: 5 5 5?\nCaller: 0 1 4 2\nAgent: Thanks.",
    ],
)
def test_digits_count_as_said_in_every_way_of_saying_them(text: str) -> None:
    assert Said(text).has_digits("2125550142")


@pytest.mark.parametrize(
    "text",
    ["", "212-555-0143", "call me", "212 and 555", "2 1 2 at 10:30, 5 people, 55 pounds, 0 to 14, 2 days"],
)
def test_other_digits_do_not_count(text: str) -> None:
    assert not Said(text).has_digits("2125550142")


def test_the_halves_of_a_number_count_across_the_other_speaker() -> None:
    assert Said(CALL).has_digits("2125550142")


@pytest.mark.parametrize(
    "text",
    [
        "jose.smith@example.com",
        "It's Jose.Smith@Example.com, thanks",
        "jose dot smith at example dot com",
        "J O S E dot S M I T H at example dot com",
    ],
)
def test_an_address_counts_as_said_written_and_spoken(text: str) -> None:
    assert Said(text).has_address("jose.smith@example.com")


def test_an_address_with_signs_and_digits_counts_when_they_are_spoken() -> None:
    text = "it is anna underscore lee forty two at my dash mail dot org"
    assert Said(text).has_address("anna_lee42@my-mail.org")
    assert not Said(text).has_address("anna_lee43@my-mail.org")


def test_a_quote_counts_without_its_fillers_but_not_out_of_order() -> None:
    said = Said("I, uh, I would like to, like, book a cleaning next Tuesday.")
    assert said.has_quote("I would like to book a cleaning next Tuesday")
    assert not said.has_quote("Next Tuesday I would like to book")
    assert not said.has_quote("I would like to cancel")
    assert not said.has_quote(" … ")


@given(text=st.text(), value=st.text())
def test_no_text_breaks_it(text: str, value: str) -> None:
    said = Said(text)
    assert {
        said.has_words(value),
        said.has_quote(value),
        said.has_digits(value),
        said.has_address(value),
    } <= {
        True,
        False,
    }


@given(before=st.text(), digits=st.text("0123456789", min_size=7, max_size=15), after=st.text())
def test_digits_written_in_one_go_always_count(before: str, digits: str, after: str) -> None:
    assert Said(f"{before} {digits} {after}").has_digits(digits)
