"""Texts of others: exact identifiers are taken out in every spelling; what is doubtful or the business's own waits."""

from uuid import UUID

import pytest

from lifecycle.redact import StillNamed, decide, redact, texts_left
from lifecycle.scrub import ERASED
from lifecycle.spelling import names, replaced, spelled
from models.erasures import Erasure, Review, ReviewState, Scope
from tests.lifecycle.erasing.world import World, changed, keys

NUMBER = "+353861234567"
ADDRESS = "anna.o'neill+x@example.com"
EXACT = (
    "+353861234567",
    "00353861234567",
    "353861234567",
    "0861234567",
    "086 123 4567",
    "086-123-4567",
    "086.123.4567",
    "086/1234567",
    "(086) 123-4567",
    "+353 (0)86 123 4567",
    "+353 (86) 123-4567",
    "00353 86 123 4567",
)
OTHERS = ("+353861234568", "+447861234567", "10861234567", "anna", "86 12 45 67")
DOUBTFUL = ("61234567", "ring 123 4567 or 6-123-4567", "86 123 4567")


@pytest.mark.parametrize("told", EXACT)
def test_every_spelling_is_the_number(told):
    way = spelled(NUMBER, "IE")
    assert names(f"Call {told}, please.", [way]) == (True, False)
    assert replaced(f"Call {told}, please.", [way], ERASED) == f"Call {ERASED}, please."


@pytest.mark.parametrize("told", OTHERS)
def test_another_number_is_not(told):
    assert names(f"Call {told}.", [spelled(NUMBER, "IE")]) == (False, False)


@pytest.mark.parametrize("told", DOUBTFUL)
def test_its_last_digits_alone_may_be_somebody_else_s(told):
    assert names(f"Call {told}.", [spelled(NUMBER, "IE")]) == (False, True)


def test_a_foreign_number_as_it_is_dialled_abroad_may_be_one_of_here():
    way = spelled("+447700900123", "IE")
    assert names("Call 07700 900123", [way]) == (False, True)
    assert names("Call +44 7700 900123", [way]) == (True, False)
    assert names("Call 07700 900123", [spelled("+447700900123", "GB")]) == (True, False)


def test_a_number_without_a_trunk_zero_is_exact_at_home():
    assert names("Call (212) 555-0123", [spelled("+12125550123", "US")]) == (True, False)


@pytest.mark.parametrize(
    ("told", "exact"),
    [
        (f"Write to {ADDRESS}.", True),
        (f"<{ADDRESS.upper()}>", True),
        (f"jo{ADDRESS}", False),
        (f"{ADDRESS}.au", False),
        ("neill+x@example.com", False),
    ],
)
def test_an_address_in_any_case_and_no_longer_one(told, exact):
    assert names(told, [spelled(ADDRESS, "IE")]) == (exact, False)


def anna_of(world: World) -> dict[str, dict[str, object]]:
    anna = world.person(identifiers={"kind": "phone", "value": NUMBER})
    world.put("identifiers", person_id=anna["people"]["id"], kind="email", value=ADDRESS)
    return anna


def reviews(world: World, erasure: UUID) -> set[tuple[str, UUID, str]]:
    with world.job() as db:
        return {(row.source, row.row_id, row.field) for row in db.query(Review) if row.erasure_id == erasure}


@pytest.mark.parametrize("batch", [1, 500])
def test_others_texts_lose_the_identifiers_and_nothing_else(world, batch):
    anna, ben = anna_of(world), world.person()
    other = world.person(world.theirs)
    told = f"Anna's number is 086 123 4567, or {ADDRESS.upper()}; mine is +353 87 000 1122."
    for name, column in (("messages", "body"), ("tasks", "text"), ("transcripts", "body"), ("leads", "verbatim")):
        world.change(name, ben[name]["id"], **{column: told})
    world.change("transcripts", ben["transcripts"]["id"], segments=[{"channel": 0, "text": told, "start": 1.5}])
    world.change("messages", other["messages"]["id"], body=told)
    erasure = world.confirmed(Scope.PERSON, anna["people"]["id"])
    before = world.rows()
    world.erase(erasure, batch=batch)
    kept = f"Anna's number is {ERASED}, or {ERASED}; mine is +353 87 000 1122."
    assert world.one("messages", ben["messages"]["id"]).body == kept
    assert world.one("tasks", ben["tasks"]["id"]).text == kept
    assert world.one("leads", ben["leads"]["id"]).verbatim == kept
    transcript = world.one("transcripts", ben["transcripts"]["id"])
    assert (transcript.body, transcript.segments) == (kept, [{"channel": 0, "text": kept, "start": 1.5}])
    assert {key for key in changed(before, world.rows()) if key in keys(ben)} == {
        (name, ben[name]["id"]) for name in ("messages", "tasks", "transcripts", "leads")
    }
    assert world.one("messages", other["messages"]["id"]).body == told
    assert reviews(world, erasure) == set()
    with world.job() as db:
        assert texts_left(db, db.get_one(Erasure, erasure)) == 0


def test_what_the_business_wrote_waits_for_somebody_and_is_not_changed(world):
    anna = anna_of(world)
    entry = world.base[world.mine]["knowledge"]["id"]
    told = "For emergencies ring Anna, 086 123 4567."
    world.change("knowledge", entry, body=told, title="Call +353861234567")
    erasure = world.confirmed(Scope.PERSON, anna["people"]["id"])
    world.erase(erasure, batch=1)
    assert world.one("knowledge", entry).body == told
    assert reviews(world, erasure) == {("knowledge", entry, "body"), ("knowledge", entry, "title")}
    with world.job() as db:
        (body,) = [row for row in db.query(Review) if row.field == "body" and row.erasure_id == erasure]
        with pytest.raises(StillNamed, match="names them as before"):
            decide(db, body, ReviewState.REDACTED, None)
    world.change("knowledge", entry, body="For emergencies ring the office.")
    with world.job() as db:
        for row in db.query(Review).where(Review.erasure_id == erasure).order_by(Review.field):
            decide(db, row, ReviewState.REDACTED if row.field == "body" else ReviewState.CLEARED, world.mine)
    with world.job() as db:
        found = {(row.field, row.state, row.decided_by) for row in db.query(Review) if row.erasure_id == erasure}
        assert found == {("body", ReviewState.REDACTED, world.mine), ("title", ReviewState.CLEARED, world.mine)}
        with pytest.raises(ValueError, match="only an open one"):
            decide(db, db.query(Review).where(Review.erasure_id == erasure).first(), ReviewState.CLEARED, None)


def test_a_doubtful_text_of_somebody_else_waits_too_and_is_asked_about_once(world):
    anna, ben = anna_of(world), world.person()
    message = ben["messages"]["id"]
    world.change("messages", message, body="Or was it 61234567?")
    erasure = world.confirmed(Scope.PERSON, anna["people"]["id"])
    world.erase(erasure)
    assert world.one("messages", message).body == "Or was it 61234567?"
    assert reviews(world, erasure) == {("messages", message, "body")}
    with world.job() as db:
        assert redact(db, db.get_one(Erasure, erasure)) is False
    assert len(reviews(world, erasure)) == 1


def test_what_a_law_keeps_is_not_rewritten_and_a_name_is_no_needle(world):
    anna, ben = anna_of(world), world.person()
    world.change("invoices", ben["invoices"]["id"], billed_to="Ben, for Anna, 086 123 4567")
    world.change("messages", ben["messages"]["id"], body="Anna said hello.")
    erasure = world.confirmed(Scope.PERSON, anna["people"]["id"])
    world.erase(erasure)
    assert world.one("invoices", ben["invoices"]["id"]).billed_to == "Ben, for Anna, 086 123 4567"
    assert world.one("messages", ben["messages"]["id"]).body == "Anna said hello."
    assert reviews(world, erasure) == set()


def test_an_identifier_that_was_excluded_is_no_needle(world):
    line = world.base[world.mine]["phone_lines"]["number"]
    anna, ben = world.person(identifiers={"kind": "phone", "value": line}), world.person()
    world.change("messages", ben["messages"]["id"], body=f"Your number is {line}?")
    world.erase(world.confirmed(Scope.PERSON, anna["people"]["id"]))
    assert world.one("messages", ben["messages"]["id"]).body == f"Your number is {line}?"


def test_calls_and_messages_alone_leave_what_others_wrote(world):
    anna, ben = anna_of(world), world.person()
    world.change("messages", ben["messages"]["id"], body="Ring 086 123 4567")
    world.erase(world.confirmed(Scope.COMMUNICATIONS, anna["people"]["id"]))
    assert world.one("messages", ben["messages"]["id"]).body == "Ring 086 123 4567"
