"""What comes from outside is let in once, is known to be of whom it is, and never brings back what was erased."""

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.lifecycle.desk import NUMBER, phone
from tests.rows import AT

BURY = text("SELECT nexara.bury_v1(CAST(:identifiers AS text[]), :before)")
LATER = timedelta(seconds=1)


def bury(desk, *identifiers, before=AT):
    with desk.job() as db:
        return db.execute(BURY, {"identifiers": list(identifiers), "before": before}).scalar()


def stone(desk, key):
    desk.sql(
        "INSERT INTO nexara.tombstones (business_id, digest, sort) VALUES (:b, :key, 'event')", b=desk.business, key=key
    )


def erases_all(desk, state):
    desk.sql(
        "INSERT INTO nexara.erasures (business_id, scope, origin, state) VALUES (:b, 'business', 'retention', :state)",
        b=desk.business,
        state=state,
    )


def test_a_first_call_makes_a_person_and_the_next_one_is_of_the_same(desk):
    first = desk.called("CA1", phone())
    second = desk.called("CA2", phone(), at=AT + LATER)
    assert (first.answer, second.answer) == ("accepted", "accepted")
    assert first.person_id == second.person_id
    assert first.event_key == hashlib.sha256(b"twilio:CA1").hexdigest()
    (held,) = desk.rows("SELECT * FROM nexara.identifiers")
    assert (held.kind, held.value, held.first_seen, held.last_seen) == ("phone", NUMBER, AT, AT + LATER)


def test_what_is_known_is_a_duplicate_by_whichever_row_knows_it(desk):
    desk.called("CA1", phone())
    assert desk.called("CA1", phone()).answer == "duplicate"
    assert desk.arrives("CA1", None, provider="telnyx").answer == "accepted"
    assert desk.sql("SELECT count(*) FROM nexara.calls") == 1
    assert desk.sql("SELECT count(*) FROM nexara.people") == 1


def test_what_was_billed_and_has_ended_is_not_let_in_again(desk):
    told = desk.arrives("CA1", None)
    desk.sql(
        "INSERT INTO nexara.meter (business_id, event_key, source, unit, quantity, at) "
        "VALUES (:b, :key, 'call', 'call_second', 60, now())",
        b=desk.business,
        key=told.event_key,
    )
    assert desk.called("CA1", phone()).answer == "duplicate"
    assert desk.sql("SELECT count(*) FROM nexara.people") == 0


def test_a_withheld_number_is_a_person_who_is_reached_by_nothing_and_another_one_each_time(desk):
    first, second = desk.called("CA1"), desk.called("CA2")
    assert first.person_id != second.person_id
    assert desk.sql("SELECT count(*) FROM nexara.identifiers") == 0


def test_what_belongs_to_something_that_is_there_looks_for_nobody(desk):
    told = desk.arrives("RE1", None)
    assert (told.answer, told.person_id) == ("accepted", None)
    assert desk.sql("SELECT count(*) FROM nexara.people") == 0


def test_a_shared_number_is_nobody_s_and_an_address_beside_it_may_be_somebody_s(desk):
    anna = desk.called("CA1", [*phone(), {"kind": "email", "value": "anna@example.com"}]).person_id
    with desk.acting() as db:
        ben = desk.put(db, "people")
        desk.put(db, "identifiers", person_id=ben, kind="phone", value=NUMBER)
    somebody = desk.called("CA2", phone()).person_id
    assert somebody not in (anna, ben)
    both = [*phone(), {"kind": "email", "value": "anna@example.com"}]
    assert desk.called("CA3", both).person_id == anna


def test_somebody_who_is_known_keeps_out_of_what_another_one_holds(desk):
    anna = desk.called("CA1", phone()).person_id
    ben = desk.called("CA2", [{"kind": "email", "value": "ben@example.com"}]).person_id
    told = [{"kind": "email", "value": "ben@example.com"}, *phone(), {"kind": "wa_id", "value": "447700900777"}]
    assert desk.called("CA3", told).person_id == ben
    assert desk.rows("SELECT person_id FROM nexara.identifiers WHERE kind = 'phone'") == [(anna,)]
    assert desk.rows("SELECT person_id FROM nexara.identifiers WHERE kind = 'wa_id'") == [(ben,)]


def test_two_calls_of_one_new_number_at_once_are_of_one_person(desk):
    together = Barrier(4)

    def called(ref):
        together.wait(20)
        return desk.called(ref, phone()).person_id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(called, ("CA1", "CA2", "CA3", "CA4")))) == 1


def test_an_erased_event_does_not_come_back_whenever_it_happened(desk):
    stone(desk, desk.arrives("CA1", None).event_key)
    for at in (AT, AT + timedelta(days=3)):
        assert desk.called("CA1", phone("+447700900999"), at=at).answer == "erased"
    assert desk.sql("SELECT count(*) FROM nexara.people") == 0


def test_an_erased_number_is_kept_out_until_its_erasure_and_let_in_after_it(desk):
    assert bury(desk, NUMBER) == 1
    assert desk.called("CA1", phone(), at=AT).answer == "erased"
    assert desk.called("CA2", phone(), at=AT - timedelta(days=2)).answer == "erased"
    assert desk.sql("SELECT count(*) FROM nexara.people") == 0
    later = desk.called("CA3", phone(), at=AT + LATER)
    assert later.answer == "accepted"
    assert desk.rows("SELECT person_id FROM nexara.identifiers") == [(later.person_id,)]


@pytest.mark.parametrize(
    ("buried", "comes"),
    [
        (NUMBER, {"kind": "wa_id", "value": "447700900123"}),
        ("447700900123", {"kind": "phone", "value": NUMBER}),
        ("Anna@Example.com ", {"kind": "email", "value": "anna@example.com"}),
    ],
)
def test_an_identifier_is_known_in_its_other_spelling(desk, buried, comes):
    bury(desk, buried)
    assert desk.called("CA1", [comes]).answer == "erased"


def test_of_an_erased_number_what_is_there_and_is_another_s_is_known(desk):
    desk.called("CA1", phone())
    bury(desk, NUMBER)
    assert desk.called("CA1", phone()).answer == "duplicate"


def test_one_business_s_tombstones_are_not_another_s(desk, other):
    bury(desk, NUMBER)
    stone(desk, desk.arrives("CA1", None).event_key)
    assert other.called("CA1", phone()).answer == "accepted"
    bury(other, NUMBER)
    digests = [row.digest for row in desk.rows("SELECT digest FROM nexara.tombstones WHERE sort = 'identifier'")]
    assert len(set(digests)) == 2


def test_who_is_being_erased_is_somebody_new_when_they_call_meanwhile(desk):
    before = desk.called("CA1", phone()).person_id
    erasure = desk.sql(
        "INSERT INTO nexara.erasures (business_id, scope, origin, state) "
        "VALUES (:b, 'person', 'request', 'resolving') RETURNING id",
        b=desk.business,
    )
    desk.sql(
        "INSERT INTO nexara.erasure_scope (business_id, erasure_id, source, row_id, evidence, decision) "
        "VALUES (:b, :erasure, 'people', :person, 'asked', 'include')",
        b=desk.business,
        erasure=erasure,
        person=before,
    )
    desk.sql("UPDATE nexara.erasures SET state = 'erasing'")
    now = desk.called("CA2", phone(), at=AT + LATER).person_id
    assert now != before
    assert desk.sql("SELECT count(*) FROM nexara.identifiers WHERE person_id = :now", now=now) == 1


@pytest.mark.parametrize("state", ["confirmed", "erasing", "pending", "completed"])
def test_nothing_comes_for_a_business_that_was_erased(desk, other, state):
    erases_all(desk, state)
    assert desk.called("CA1", phone(), at=AT + timedelta(days=400)).answer == "erased"
    with pytest.raises(DBAPIError) as refused, desk.acting() as db:
        person = desk.put(db, "people")
        desk.put(db, "conversations", person_id=person, channel="sms", event_key=uuid4().hex * 2)
    assert refused.value.orig.sqlstate == "NX002"
    assert other.called("CA1", phone()).answer == "accepted"


def test_an_erasure_of_a_business_that_nobody_confirmed_keeps_nothing_out(desk):
    erases_all(desk, "resolving")
    erases_all(desk, "withdrawn")
    assert desk.called("CA1", phone()).answer == "accepted"


@pytest.mark.parametrize("role", ["web", "job", "admin"])
def test_behind_the_gate_nobody_writes_what_was_erased(desk, role):
    told = desk.called("CA1", phone())
    (known,) = desk.rows("SELECT c.id AS conversation, k.id AS call FROM nexara.conversations c, nexara.calls k")
    gone = desk.arrives("SM9", None).event_key
    stone(desk, gone)
    for ref in ("CA9", "RE9", "CA9-leg"):
        stone(desk, desk.arrives(ref, None).event_key)
    leg = desk.sql("SELECT id FROM nexara.call_legs")
    of = "INSERT INTO nexara.{} (business_id, {}) VALUES (:b, {})"
    attempts = {
        of.format("conversations", "person_id, channel, event_key", ":person, 'sms', :gone"),
        of.format("calls", "conversation_id, event_key", ":conversation, :gone"),
        of.format("messages", "conversation_id, direction, body, event_key", ":conversation, 'inbound', 'x', :gone"),
        of.format("recordings", "leg_id, state, twilio_ref", ":leg, 'pending', 'RE9'"),
        of.format("call_legs", "call_id, carrier, child_ref", ":call, 'twilio', 'CA9-leg'"),
        "UPDATE nexara.calls SET twilio_ref = 'CA9' WHERE business_id = :b",
        "UPDATE nexara.recordings SET twilio_ref = 'RE9' WHERE business_id = :b",
    }
    values = {
        "b": desk.business,
        "gone": gone,
        "person": told.person_id,
        "conversation": known.conversation,
        "call": known.call,
        "leg": leg,
    }
    for attempt in attempts:
        statement = text(attempt if role == "admin" else attempt.replace("nexara.", "live."))
        opened = {"web": desk.acting, "job": desk.job, "admin": desk.admin.begin}[role]
        with pytest.raises(DBAPIError) as refused, opened() as db:
            db.execute(statement, {name: value for name, value in values.items() if f":{name}" in attempt})
        assert refused.value.orig.sqlstate == "NX002", attempt
        assert "CA9" not in str(refused.value.orig)


def test_what_was_not_erased_is_written_and_changed_as_ever(desk):
    stone(desk, desk.arrives("CA9", None).event_key)
    assert desk.called("CA1", phone()).answer == "accepted"
    with desk.acting() as db:
        db.execute(text("UPDATE live.calls SET twilio_ref = NULL, telnyx_ref = 'CA9', seconds = 3"))
    with desk.acting() as db:
        db.execute(text("UPDATE live.calls SET telnyx_ref = 'CA9', seconds = 4"))


@pytest.mark.parametrize(
    "told",
    [
        {"ref": ""},
        {"ref": "CA 1"},
        {"ref": "C" * 401},
        {"provider": "Twilio!"},
        {"at": None},
        {"identifiers": {}},
        {"identifiers": "07700 900123"},
        {"identifiers": ["+447700900123"]},
        {"identifiers": [{"kind": "phone", "value": "07700900123"}]},
        {"identifiers": [{"kind": "email", "value": "Anna@example.com"}]},
        {"identifiers": [{"kind": "pigeon", "value": "grey"}]},
        {"identifiers": [{"kind": "phone", "value": NUMBER, "name": "Anna"}]},
        {"identifiers": phone() * 21},
    ],
)
def test_what_is_not_as_it_should_be_is_refused_without_being_quoted(desk, told):
    asked = {"ref": "CA1", "identifiers": phone(), "provider": "twilio", "at": AT} | told
    with pytest.raises(DBAPIError) as refused:
        desk.arrives(asked.pop("ref"), asked.pop("identifiers"), **asked)
    assert refused.value.orig.sqlstate == "22023"
    for quoted in ("07700", "447700", "Anna", "pigeon", "Twilio!"):
        assert quoted not in str(refused.value.orig)


def test_nobody_is_acted_for_and_nothing_is_let_in(desk, web):
    with pytest.raises(DBAPIError, match=r"call nexara\.act_for first"), web.begin() as db:
        desk.ask(db, "CA1", phone())


def test_the_web_tier_sees_neither_salt_nor_tombstone_and_buries_nothing(desk):
    bury(desk, NUMBER)
    for statement in (
        "SELECT * FROM live.salts",
        "SELECT * FROM live.tombstones",
        "SELECT nexara.digest_of(nexara.scope(), '+447700900123')",
        "SELECT nexara.bury_v1(ARRAY['+447700900123'], now())",
    ):
        with pytest.raises(DBAPIError) as refused, desk.acting() as db:
            db.execute(text(statement))
        assert refused.value.orig.sqlstate == "42501", statement


def test_the_digest_is_the_hmac_that_everybody_else_computes(desk):
    bury(desk, NUMBER)
    (salt,) = desk.rows("SELECT secret FROM nexara.salts")
    (buried,) = desk.rows("SELECT digest, event_before FROM nexara.tombstones")
    assert len(salt.secret) == 64
    assert buried.digest == hmac.digest(bytes.fromhex(salt.secret), NUMBER.encode(), "sha256").hex()
    assert buried.event_before == AT
    long = desk.sql("SELECT encode(nexara.hmac_sha256(:key, :said), 'hex')", key=b"k" * 64, said=b"")
    assert long == hmac.digest(b"k" * 64, b"", "sha256").hex()


def test_a_second_burial_moves_the_moment_on_and_never_back(desk):
    for before, stands in ((AT, AT), (AT - LATER, AT), (AT + LATER, AT + LATER)):
        bury(desk, NUMBER, before=before)
        assert desk.rows("SELECT event_before FROM nexara.tombstones") == [(stands,)]
    assert desk.sql("SELECT count(*) FROM nexara.salts") == 1
    assert bury(desk) == 0
