"""Somebody whose every detail is a token is erased from a business: no token is left, and nobody else is touched."""

from uuid import UUID

import pytest
from sqlalchemy import text

from tests.canary.keeping import keep_list, left_over
from tests.canary.speakers import SUBJECT, speaker
from tests.canary.tokens import Tokens
from tests.canary.world import World
from tests.jobs.test_erasures import erase, go_on, receipts


@pytest.mark.timeout(300)
def test_of_somebody_who_is_erased_no_token_is_left_anywhere_and_nobody_else_is_touched(world: World):
    house, shop, other, bystander = world.house, world.shop, world.other, speaker("bystander")
    tokens, theirs = SUBJECT.tokens, bystander.tokens

    # Whoever is there, and all that they did and are.
    here = world.plant_business(shop, theirs, stays=True)
    there = world.plant_business(other, Tokens("elsewhere"), stays=True)
    told, beside = world.calls(shop, SUBJECT), world.calls(shop, bystander)
    beyond = world.calls(other, bystander, number=SUBJECT.number)
    world.hears_again(told, SUBJECT)
    world.is_reached_by(shop, told.person, SUBJECT)
    planted = world.plant_person(here, tokens, told.person)
    kept = [here, there, world.plant_person(here, theirs, beside.person)]
    kept.append(world.plant_person(there, Tokens("elsewhere too"), beyond.person))
    written = world.writes(shop, SUBJECT, told.person)
    named = world.name(kept[2], SUBJECT), world.name_in_knowledge(here, SUBJECT)
    booked = world.books_for(kept[2], told.person)
    for each in (*kept, planted):
        world.hold(each)
    raw = world.leave_traces(shop, SUBJECT, told)
    world.meter(shop, other)
    house.sql("ANALYZE")

    mine = world.mine({"nexara.people": [str(told.person), str(written.person)]})
    mine["nexara.bookings"] -= {booked}
    mine["nexara.provider_events"] = raw
    before, used = world.digests(mine), world.metered()
    mine["nexara.emails_sent"] -= world.to_members()
    world.know(tokens, mine)
    held = world.held_of(kept)
    sought, ids = world.sought(tokens)
    there_before = world.stores.found(sought)
    assert world.missing(tokens, there_before) == set()
    assert all(there_before[store] for store in ("database", "statistics", "objects", "vendors"))

    # The erasure, and what an officer does for it.
    erasure = erase(house, shop.business, "person", told.person)
    house.drain()
    decide(world, erasure, named[1], bystander.written)
    assert go_on(house, world.remaining, erasure, looks=12) == "completed", world.waits(erasure)

    # Nothing is left but what the receipt says; nothing else has changed.
    sought, ids = world.sought(tokens)
    (receipt,) = [each for each in receipts(house, shop.business) if each.erasure_id == erasure]
    keeps = keep_list(receipt)
    spare = str(other.business)  # the same number has called there, and what is there is as it was
    assert left_over(world.stores.found(sought, spare), keeps) == []
    assert left_over(world.stores.found(ids, spare), keeps | {"journal", "resend mail"}) == []
    after = world.digests({})
    changed = {key for key, digest in before.items() if after.get(key) != digest}
    assert changed == {("nexara.contacts", named[0]), ("nexara.knowledge", named[1]), ("nexara.bookings", booked)}
    assert house.sql("SELECT booked_by_id IS NULL AND note IS NOT NULL FROM nexara.bookings WHERE id = :b", b=booked)
    assert world.metered() == used
    assert held - world.held_of(kept) == set()


def decide(world: World, erasure: UUID, knowledge: str, new: str) -> None:
    """Mend the text of the business's own that names whom was erased, and say so."""
    (review,) = world.house.rows("SELECT * FROM nexara.reviews WHERE erasure_id = :e AND state = 'open'", e=erasure)
    assert str(review.row_id) == knowledge
    with world.house.acting_for(review.business_id) as db:
        db.execute(text("UPDATE live.knowledge SET body = :new WHERE id = :id"), {"new": new, "id": knowledge})
    with world.house.on_call.begin() as db:
        decided = text("SELECT nexara.decide_review_v1(:b, :r, 'redacted')")
        db.execute(decided, {"b": review.business_id, "r": review.id})
