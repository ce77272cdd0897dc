"""Somebody whose every detail is a token is erased from a business: no token is left, and nobody else is touched."""

import json
from uuid import UUID

import pytest

from lifecycle.audit.needles import Kind
from lifecycle.audit.kept import JOURNAL
from tests.canary.seeking import Hit, Sought
from tests.canary.speakers import BYSTANDER, SUBJECT
from tests.canary.tokens import Tokens
from tests.canary.world import World, naming
from tests.jobs.test_erasures import erase, go_on, receipts


def keep_list(receipt) -> set[str]:
    """Return the columns that a receipt says are kept."""
    return {f"nexara.{each['table']}.{column}" for each in receipt.body["kept"] for column in each["only"]}


@pytest.mark.timeout(300)
def test_of_somebody_who_is_erased_no_token_is_left_anywhere_and_nobody_else_is_touched(world: World):
    house, shop, other = world.house, world.shop, world.other
    tokens, theirs, elsewhere = SUBJECT.tokens, BYSTANDER.tokens, Tokens("elsewhere")
    other.employ("other@example.com")
    told = world.calls(shop, SUBJECT)
    bystander = world.calls(shop, BYSTANDER)
    same_number = world.calls(other, BYSTANDER, number=SUBJECT.number)
    planter = world.plant_person(shop, tokens, told.person)
    beside = world.plant_person(shop, theirs, bystander.person)
    beyond = world.plant_person(other, elsewhere, same_number.person)
    print(len(tokens.made))
