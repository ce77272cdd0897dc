"""What an erasure relies on where it cannot call: every such place is told, with its contract and its last day."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lifecycle.elsewhere import reliances
from models.contracts import MODEL_INPUTS
from models.elsewhere import PLACES, Reach, lapses_within

ERASED = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_every_place_that_no_call_reaches_is_told_and_no_other() -> None:
    told = {each.place for each in reliances(ERASED)}
    assert told == {place.name for place in PLACES if place.reach not in (Reach.DELETED, Reach.NOTHING)}
    assert {"vendor anthropic", "vendor deepgram", "vendor vercel", "vendor resend", "vendor lemon_squeezy"} <= told
    assert "backups of the database" in told


def test_what_lapses_says_when_and_what_a_contract_holds_says_which() -> None:
    for each in reliances(ERASED):
        if each.reach is Reach.LAPSES:
            assert each.lapses_at is not None, each.place
            assert each.lapses_at > ERASED
        if each.reach in (Reach.LAPSES, Reach.CONTRACT):
            assert each.contract is not None, each.place
            assert each.contract.name
    (anthropic,) = [each for each in reliances(ERASED) if each.place == "vendor anthropic"]
    assert anthropic.lapses_at == ERASED + MODEL_INPUTS


def test_nobody_has_signed_for_us_and_no_number_is_made_up() -> None:
    contracts = [each.contract for each in reliances(ERASED) if each.contract]
    assert {(each.signed is None) for each in contracts} == {(each.reference is None) for each in contracts}


@pytest.mark.parametrize(("name", "without"), [("vendor anthropic", "lapses_within"), ("vendor vercel", "contract")])
def test_a_place_that_leaves_open_what_we_rely_on_does_not_import(name: str, without: str) -> None:
    (place,) = [place for place in PLACES if place.name == name]
    with pytest.raises(TypeError, match=name):
        replace(place, **{without: None})


def test_a_vendors_own_period_is_found_by_the_name_that_remains_give_it() -> None:
    assert lapses_within("360dialog") == lapses_within("meta") is not None
    assert lapses_within("nowhere") is None
