"""What rows hold sealed: opened with any of the keys, sealed with the first, and never quoted."""

import pytest
from cryptography.fernet import Fernet

from ledger.errors import Misconfigured
from providers.seals import Seals
from tests.providers.traces import assert_says_nothing_of, failure_of

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
TOKEN = "1//marigold-5ec2e7"


def seals(keys: str) -> Seals:
    return Seals(keys, "GOOGLE_TOKEN_KEYS", "the calendar")


def test_what_is_sealed_is_opened_again_also_after_the_key_was_changed() -> None:
    sealed = seals(OLD).seal(TOKEN)
    assert TOKEN not in sealed
    assert seals(OLD).open(sealed) == seals(f" {NEW}, {OLD} ").open(sealed) == TOKEN
    assert seals(NEW).open(seals(f"{NEW},{OLD}").seal(TOKEN)) == TOKEN


SEALED = {
    "nothing": "",
    "a word": "plain",
    "no ASCII": "\u00e4",
    "a token": TOKEN,
    "by another key": Fernet(NEW).encrypt(b"x").decode(),
}


@pytest.mark.parametrize("sealed", SEALED.values(), ids=SEALED)
def test_what_no_key_opens_is_one_businesss_trouble_and_is_not_quoted(sealed: str) -> None:
    error = failure_of(lambda: seals(OLD).open(sealed))
    assert isinstance(error, Misconfigured)
    assert (error.code, error.of_business, error.setting) == ("seal_unopened", True, "the calendar")
    assert_says_nothing_of(error, TOKEN, OLD)


@pytest.mark.parametrize(
    ("keys", "code"),
    [("", "setting_missing"), (" , ", "setting_missing"), (f"{OLD},short", "setting_malformed")],
    ids=["none", "blank", "one too short"],
)
def test_keys_that_are_none_are_everybodys_trouble(keys: str, code: str) -> None:
    for ask in (seals(keys).open, seals(keys).seal):
        error = failure_of(lambda ask=ask: ask("x"))  # type: ignore[misc] # mypy cannot infer a default
        assert isinstance(error, Misconfigured)
        assert (error.code, error.of_business, error.setting) == (code, False, "GOOGLE_TOKEN_KEYS")
        assert_says_nothing_of(error, OLD, "short")
