"""A person is erased: their rows go, whatever was interrupted and however small the batch; nobody else's moves."""

import json
from uuid import uuid4

import pytest

from lifecycle.pieces import piece
from lifecycle.remaining import rows_left
from lifecycle.walk import doomed, walk
from models.erasures import Erasure, Origin, Scope
from tests.lifecycle.erasing.world import changed, keys

KEPT = {"invoices", "quotes"}
WITH_KEPT = KEPT | {"invoice_lines", "quote_lines"}


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_their_rows_go_and_nobody_else_s_moves(world, batch):
    anna, ben = world.person(), world.person()
    other = world.person(world.theirs)
    before = world.rows()
    done = world.erase(world.confirmed(Scope.PERSON, anna["people"]["id"]), batch=batch)
    after = world.rows()
    kept = {key for key in keys(anna) if key[0] in WITH_KEPT}
    assert keys(anna) - after.keys() == keys(anna) - kept
    touched = {key for key in kept if key[0] in KEPT}
    assert changed(before, after) == keys(anna) - kept | touched
    assert keys(ben) | keys(other) <= after.keys()
    assert sum(done.rows.values()) == len(keys(anna) - kept)
    assert set(done.changed) <= KEPT | {"bookings"}
    assert done.derived == []


def test_what_a_law_keeps_loses_its_person_and_nothing_that_the_law_asks_for(world):
    anna = world.person()
    world.erase(world.confirmed(Scope.PERSON, anna["people"]["id"]))
    for name in KEPT:
        row = world.one(name, anna[name]["id"])
        assert row.person_id is None
        for column in ("number", "billed_to", "currency", "total", "issued_at"):
            assert getattr(row, column) == anna[name][column], column
    for name in ("invoice_lines", "quote_lines"):
        row = world.one(name, anna[name]["id"])
        assert (row.quantity, row.price) == (anna[name]["quantity"], anna[name]["price"])


def test_a_draft_goes_with_its_lines(world):
    anna = world.person(invoices={"issued_at": None, "number": None}, quotes={"issued_at": None, "number": None})
    world.erase(world.confirmed(Scope.PERSON, anna["people"]["id"]))
    assert not keys(anna) & world.rows().keys()


def test_who_booked_for_somebody_else_is_forgotten_and_the_booking_stays(world):
    anna, ben = world.person(), world.person()
    world.change("bookings", ben["bookings"]["id"], booked_by_id=anna["people"]["id"])
    world.erase(world.confirmed(Scope.PERSON, anna["people"]["id"]), batch=1)
    row = world.one("bookings", ben["bookings"]["id"])
    assert (row.guest_id, row.booked_by_id) == (ben["people"]["id"], None)
    assert row.guest_name == ben["bookings"]["guest_name"]


def test_what_was_measured_and_billed_stays_the_same_in_sum(world):
    anna = world.person()
    sums = (
        "SELECT concat((SELECT sum(quantity) FROM nexara.meter), ' ', (SELECT sum(total) FROM nexara.invoices), ' ', "
        "(SELECT sum(quantity * price) FROM nexara.invoice_lines))"
    )
    before = world.sql(sums)
    world.erase(world.confirmed(Scope.PERSON, anna["people"]["id"]))
    assert world.sql(sums) == before


def test_every_copy_elsewhere_is_written_down_as_this_erasure_s(world):
    anna = world.person()
    erasure = world.confirmed(Scope.PERSON, anna["people"]["id"])
    world.erase(erasure, batch=2)
    noted = "SELECT array_agg(ref ORDER BY ref) FROM nexara.remains WHERE erasure_id = :id"
    refs = sorted(
        row[column]
        for row in anna.values()
        for column in (
            *("twilio_ref", "telnyx_ref", "vapi_ref", "elevenlabs_ref", "child_ref"),
            *("object", "ref", "google_event"),
        )
        if row.get(column)
    )
    assert world.sql(noted, id=erasure) == refs


def test_what_was_merged_into_them_goes_too(world):
    anna, before = world.person(), uuid4()
    world.put("people", id=before)
    late = world.put("leads", person_id=before, conversation_id=None)
    merge = world.put("people_merged", from_id=before, into_id=anna["people"]["id"])
    world.erase(world.confirmed(Scope.PERSON, anna["people"]["id"]), batch=1)
    gone = {("people", before), ("leads", late), ("people_merged", merge)}
    assert not (keys(anna) - {key for key in keys(anna) if key[0] in WITH_KEPT} | gone) & world.rows().keys()


def test_an_id_that_was_merged_means_the_person_it_went_into(world):
    anna, before = world.person(), uuid4()
    world.put("people_merged", from_id=before, into_id=anna["people"]["id"])
    world.erase(world.confirmed(Scope.PERSON, before))
    assert world.one("people", anna["people"]["id"]) is None


def test_all_that_will_go_is_counted_before_and_nothing_is_left_after(world):
    anna = world.person()
    erasure = world.confirmed(Scope.PERSON, anna["people"]["id"])
    with world.job() as db:
        plan = rows_left(db, db.get_one(Erasure, erasure))
        ids = doomed(db, db.get_one(Erasure, erasure))
    assert len(ids) == len(set(ids))
    assert set(ids) == {row_id for name, row_id in keys(anna) if name not in WITH_KEPT}
    assert plan == {name: 1 for name in anna if name not in WITH_KEPT}
    done = world.erase(erasure)
    assert done.rows == plan
    with world.job() as db:
        assert rows_left(db, db.get_one(Erasure, erasure)) == {}


@pytest.mark.parametrize("scope", [Scope.PERSON, Scope.BUSINESS])
@pytest.mark.parametrize("most", [1, 3, 1000])
def test_in_pieces_it_is_the_same_that_goes(world, scope, most):
    anna = world.person()
    erasure = world.confirmed(scope, world.mine if scope is Scope.BUSINESS else anna["people"]["id"])
    with world.job() as db:
        row = db.get_one(Erasure, erasure)
        found, place = [], None
        while True:
            going, place = piece(db, walk(db, row), json.loads(json.dumps(place)), most)
            found += [row_id for _, ids in going for row_id in ids]
            if place is None:
                break
            assert most == 1000 or len(found) > 0
        assert set(found) == set(doomed(db, row))
    assert found


def test_a_row_that_comes_back_is_found_and_goes(world):
    anna = world.person()
    erasure = world.confirmed(Scope.PERSON, anna["people"]["id"])
    world.erase(erasure)
    world.put("people", id=anna["people"]["id"])
    lead = world.put("leads", person_id=anna["people"]["id"], conversation_id=None)
    with world.job() as db:
        assert rows_left(db, db.get_one(Erasure, erasure)) == {"leads": 1, "people": 1}
    world.erase(erasure)
    assert world.one("leads", lead) is None


def test_one_more_batch_does_nothing(world):
    anna = world.person()
    erasure = world.confirmed(Scope.PERSON, anna["people"]["id"])
    world.erase(erasure)
    before = world.rows()
    again = world.batch(erasure, 500)
    assert not again.more
    assert not again.rows
    assert not again.changed
    assert world.rows() == before


def test_raw_messages_of_vendors_that_name_them_go_and_others_stay(world):
    anna = world.person(identifiers={"kind": "phone", "value": "+353861234567"})
    raw = (
        "INSERT INTO nexara.provider_events (business_id, provider, event_key, payload) "
        "VALUES (:b, 'twilio', :k, CAST(:p AS jsonb))"
    )
    told = {
        "unowned": (None, '{"From": "+353861234567"}'),
        "own": (world.mine, '{"body": "call=%2B353861234567&x=1"}'),
        "spaced": (world.mine, '{"text": "086 123-4567"}'),
        "another's": (world.theirs, '{"From": "+353861234567"}'),
        "another number": (None, '{"From": "+447861234567"}'),
        "longer": (None, '{"id": "9353861234567"}'),
    }
    for at, (business, payload) in enumerate(told.values()):
        world.sql(raw, b=business, k=f"{at:064x}", p=payload)
    world.erase(world.confirmed(Scope.PERSON, anna["people"]["id"]), batch=1)
    left = world.sql(
        "SELECT array_agg(event_key ORDER BY event_key) FROM nexara.provider_events WHERE event_key LIKE '0000%'"
    )
    assert [int(key, 16) for key in left] == [3, 4, 5]


@pytest.mark.parametrize(("origin", "left"), [(Origin.REQUEST, 0), (Origin.DASHBOARD, 1)])
def test_what_they_wrote_to_us_goes_when_they_ask_and_not_when_a_business_tidies_up(world, origin, left):
    anna = world.person(identifiers={"kind": "email", "value": "anna@example.com"})
    world.sql("INSERT INTO nexara.contact_forms (email, text) VALUES ('anna@example.com', 'They never called back.')")
    world.sql("INSERT INTO nexara.waitlist (email) VALUES ('anna@example.com'), ('joanna@example.com')")
    world.erase(world.confirmed(Scope.PERSON, anna["people"]["id"], origin=origin))
    assert world.sql("SELECT count(*) FROM nexara.contact_forms") == left
    assert world.sql("SELECT count(*) FROM nexara.waitlist") == left + 1
