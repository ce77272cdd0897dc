"""Whom an erasure means: what is somebody's alone leads to them, what two share waits, what is confirmed is frozen."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lifecycle.resolve import NotDecided, confirm, resolve
from models.erasures import Decision, Erasure, ErasureScope, ErasureState, Evidence, Scope
from tests.lifecycle.erasing.world import World

NUMBER = "+353861234567"
SPELLED = ("+353 86 123 4567", "086 123 4567", "(086) 123-4567", "00353-86-1234567", "353.86.1234567", " 0861234567 ")


def meant(world: World, erasure: UUID) -> dict[UUID, tuple[str, Evidence, Decision, bool]]:
    with world.job() as db:
        return {
            row.row_id: (row.source, row.evidence, row.decision, row.shared)
            for row in db.query(ErasureScope)
            if row.erasure_id == erasure
        }


@pytest.mark.parametrize("typed", SPELLED)
def test_every_spelling_of_a_number_leads_to_the_one_who_has_it(world, typed):
    anna = world.person(identifiers={"kind": "phone", "value": NUMBER})
    world.person()
    found = meant(world, world.asked(Scope.PERSON, identifiers=[typed]))
    assert found == {
        anna["people"]["id"]: ("people", Evidence.IDENTIFIER, Decision.INCLUDE, False),
        anna["people_merged"]["from_id"]: ("people", Evidence.MERGED, Decision.INCLUDE, False),
        anna["identifiers"]["id"]: ("identifiers", Evidence.OWN, Decision.INCLUDE, False),
    }


def test_an_address_is_found_in_any_case_and_a_chat_id_by_its_number(world):
    anna = world.person(identifiers={"kind": "email", "value": "anna@example.com"})
    ben = world.person(identifiers={"kind": "wa_id", "value": NUMBER[1:]})
    assert anna["people"]["id"] in meant(world, world.asked(Scope.PERSON, identifiers=["Anna@Example.com"]))
    assert ben["people"]["id"] in meant(world, world.asked(Scope.PERSON, identifiers=["086 123 4567"]))


def test_what_two_share_waits_for_a_decision_about_each(world):
    anna = world.person(identifiers={"kind": "phone", "value": NUMBER})
    ben = world.person(identifiers={"kind": "phone", "value": NUMBER})
    erasure = world.asked(Scope.PERSON, identifiers=[NUMBER])
    found = meant(world, erasure)
    for person in (anna, ben):
        assert found[person["people"]["id"]] == ("people", Evidence.IDENTIFIER, Decision.REVIEW, True)
        assert found[person["identifiers"]["id"]] == ("identifiers", Evidence.OWN, Decision.REVIEW, True)
    with pytest.raises(NotDecided, match="somebody has to decide first"):
        world.begin(erasure)


def test_a_decided_erasure_takes_whom_it_includes_and_leaves_whom_it_excludes(world):
    anna = world.person(identifiers={"kind": "phone", "value": NUMBER})
    ben = world.person(identifiers={"kind": "phone", "value": NUMBER})
    erasure = world.asked(Scope.PERSON, identifiers=[NUMBER])
    hers = {anna["people"]["id"], anna["people_merged"]["from_id"]}
    with world.job() as db:
        for row in db.query(ErasureScope):
            if row.erasure_id == erasure and row.decision is Decision.REVIEW:
                row.decision = Decision.INCLUDE if row.row_id in hers else Decision.EXCLUDE
    world.begin(erasure)
    world.erase(erasure)
    assert world.one("people", anna["people"]["id"]) is None
    assert world.one("identifiers", anna["identifiers"]["id"]) is None
    assert world.one("identifiers", ben["identifiers"]["id"]) is not None


def test_a_person_s_number_that_somebody_else_has_too_is_no_needle_before_somebody_decides(world):
    anna = world.person(identifiers={"kind": "phone", "value": NUMBER})
    world.person(identifiers={"kind": "wa_id", "value": NUMBER[1:]})
    found = meant(world, world.asked(Scope.PERSON, anna["people"]["id"]))
    assert found[anna["people"]["id"]][2:] == (Decision.INCLUDE, False)
    assert found[anna["identifiers"]["id"]][2:] == (Decision.REVIEW, True)


def test_the_business_s_own_number_is_nobody_s(world):
    line = world.base[world.mine]["phone_lines"]["number"]
    anna = world.person(identifiers={"kind": "phone", "value": line})
    found = meant(world, world.asked(Scope.PERSON, anna["people"]["id"]))
    assert found[anna["identifiers"]["id"]][2] is Decision.EXCLUDE


def test_what_nobody_has_waits_too(world):
    erasure = world.asked(Scope.PERSON, identifiers=["086 999 9999"])
    ((source, evidence, decision, _),) = meant(world, erasure).values()
    assert (source, evidence, decision) == ("identifiers", Evidence.ASKED, Decision.REVIEW)
    assert world.sql("SELECT value FROM nexara.erasure_scope WHERE erasure_id = :id", id=erasure) == "+353869999999"


def test_nobody_of_another_business_is_found(world):
    other = world.person(world.theirs, identifiers={"kind": "phone", "value": NUMBER})
    found = meant(world, world.asked(Scope.PERSON, identifiers=[NUMBER]))
    assert other["people"]["id"] not in found
    erasure = world.asked(Scope.PERSON, other["people"]["id"])
    assert meant(world, erasure) == {}
    with pytest.raises(NotDecided, match="it means nobody"):
        world.begin(erasure)


def test_what_a_lead_says_is_no_identifier(world):
    anna = world.person(leads={"phone": NUMBER})
    found = meant(world, world.asked(Scope.PERSON, identifiers=[NUMBER]))
    assert anna["people"]["id"] not in found


def test_a_member_is_known_by_the_number_and_the_address_they_sign_in_with(world):
    rows = world.base[world.mine]
    found = meant(world, world.asked(Scope.MEMBER, rows["members"]["id"]))
    assert {row: told[0] for row, told in found.items()} == {
        rows["members"]["id"]: "members",
        rows["users"]["id"]: "users",
    }
    values = "SELECT array_agg(value) FROM nexara.erasure_scope WHERE decision = 'include' AND row_id = ANY(:ids)"
    assert set(world.sql(values, ids=[rows["members"]["id"], rows["users"]["id"]])) == {
        rows["users"]["email"],
        rows["members"]["transfer_phone"],
    }


def test_a_number_that_two_members_share_is_no_needle_and_holds_nothing_up(world):
    member, office = world.base[world.mine]["members"], uuid4()
    world.sql("INSERT INTO nexara.users (id, email) VALUES (:id, 'office@example.com')", id=office)
    world.put("members", user_id=office, transfer_phone=member["transfer_phone"])
    erasure = world.asked(Scope.MEMBER, member["id"])
    assert meant(world, erasure)[member["id"]][2] is Decision.INCLUDE
    assert world.sql("SELECT value FROM nexara.erasure_scope WHERE row_id = :id", id=member["id"]) is None
    world.begin(erasure)


def test_what_was_confirmed_is_frozen_for_everybody(world):
    anna = world.person()
    erasure = world.confirmed(Scope.PERSON, anna["people"]["id"])
    for statement in (
        "DELETE FROM nexara.erasure_scope WHERE erasure_id = :id",
        "UPDATE nexara.erasure_scope SET decision = 'exclude' WHERE erasure_id = :id",
        (
            "INSERT INTO nexara.erasure_scope (business_id, erasure_id, source, row_id, evidence, decision) "
            f"VALUES ('{world.mine}', :id, 'people', gen_random_uuid(), 'asked', 'include')"
        ),
    ):
        with pytest.raises(DBAPIError, match="frozen: it is erasing"):
            world.sql(statement, id=erasure)
    with pytest.raises(DBAPIError, match="frozen"), world.job() as db:
        db.execute(text("DELETE FROM live.erasure_scope"))


def test_a_scope_goes_when_its_erasure_is_completed(world):
    anna = world.person()
    erasure = world.confirmed(Scope.PERSON, anna["people"]["id"])
    world.sql("UPDATE nexara.erasures SET state = 'completed' WHERE id = :id", id=erasure)
    world.sql("DELETE FROM nexara.erasure_scope WHERE erasure_id = :id", id=erasure)
    assert meant(world, erasure) == {}


def test_nothing_is_found_out_or_confirmed_twice(world):
    anna = world.person()
    erasure = world.confirmed(Scope.PERSON, anna["people"]["id"])
    with world.job() as db:
        row = db.get_one(Erasure, erasure)
        assert row.state is ErasureState.ERASING
        with pytest.raises(ValueError, match="this one is erasing"):
            resolve(db, row, [NUMBER])
        with pytest.raises(NotDecided, match="the erasure is erasing"):
            confirm(db, row, None)
