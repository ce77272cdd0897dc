"""A business whose every detail is a token left, and its day has come: none is left but in what is kept for billing."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from jobs.retention.payloads import SweepRetention
from lifecycle.audit.needles import Kind
from tests.canary.keeping import keep_list, left_over
from tests.canary.speakers import SUBJECT, speaker
from tests.canary.tokens import Tokens
from tests.canary.world import World
from tests.jobs.conftest import OWNER
from tests.jobs.test_erasures import go_on, receipts


@pytest.mark.timeout(300)
def test_of_a_business_that_left_no_token_is_left_anywhere_and_no_other_business_is_touched(world: World):
    house, shop, other, who = world.house, world.shop, world.other, speaker("business")
    tokens, elsewhere = who.tokens, Tokens("elsewhere")
    tokens.made |= SUBJECT.tokens.made
    tokens.known("nexara.users.email", Kind.EMAIL, OWNER)

    # Whoever is there, and all that they did and are.
    here, there = world.plant_business(shop, tokens), world.plant_business(other, elsewhere, stays=True)
    told, beyond = world.calls(shop, SUBJECT), world.calls(other, speaker("bystander"), number=SUBJECT.number)
    world.hears_again(told, SUBJECT)
    people = world.plant_person(here, tokens, told.person), world.plant_person(there, elsewhere, beyond.person)
    world.writes(shop, SUBJECT, told.person)
    for each in (here, there, *people):
        world.hold(each)
    world.leave_traces(shop, who, told, unclaimed=False)  # nobody knows yet whose that is: it lapses in 14 days
    world.meter(shop, other)
    house.sql("ANALYZE")

    mine = world.of_business(shop, here)
    before, used = world.digests(mine, shop.business), world.metered()
    world.know(tokens, mine | {"nexara.businesses": set()})
    held = world.held_of([there])
    sought, ids = world.sought(tokens)
    there_before = world.stores.found(sought)
    assert all(there_before[store] for store in ("database", "statistics", "objects", "vendors"))

    # Its day: the sweep finds it, and nobody asks.
    house.house_enqueue(SweepRetention(as_of=datetime.now(UTC)))
    house.drain()
    (erasure,) = house.rows("SELECT id FROM nexara.erasures WHERE origin = 'retention'")
    assert go_on(house, world.remaining, erasure.id, looks=15) == "completed", world.waits(erasure.id)

    # Nothing is left but what the receipt says; nothing else has changed.
    (receipt,) = [each for each in receipts(house, shop.business) if each.erasure_id == erasure.id]
    keeps, spare = keep_list(receipt), str(other.business)
    keeps |= {"resend mail"}  # what was sent to its members lapses there, as the receipt says
    assert left_over(world.stores.found(sought, spare), keeps) == []
    assert left_over(world.stores.found(ids, spare), keeps | {"journal"}) == []
    after = world.digests({})
    assert {key for key, digest in before.items() if after.get(key) != digest} == set()
    assert world.metered() == used
    assert held - world.held_of([there]) == set()
    assert UUID(str(house.sql("SELECT id FROM nexara.businesses WHERE erased_at IS NOT NULL"))) == shop.business
