"""An erasure, from what asks for it to its receipt, with every part of it real."""

import json
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jobs.privacy.deposit import PREFIX as RECEIPTS
from jobs.privacy.payloads import ReplayErasure
from lifecycle.journal import Entry, key_of
from lifecycle.receipt import broken
from models.erasures import Receipt
from tests.jobs.spoken import BOOKING

ERASE = text("SELECT nexara.erase_v1(:scope, :root)")
OF_ALL = """
SELECT string_agg(row::text, E'\\n' ORDER BY row::text) FROM (
  SELECT c.*::text AS row FROM nexara.conversations c WHERE person_id <> :person
  UNION ALL SELECT t.*::text FROM nexara.transcripts t JOIN nexara.recordings r ON r.id = t.recording_id
    JOIN nexara.call_legs l ON l.id = r.leg_id JOIN nexara.calls k ON k.id = l.call_id
    JOIN nexara.conversations c ON c.id = k.conversation_id WHERE c.person_id <> :person
  UNION ALL SELECT d.*::text FROM nexara.leads d WHERE d.person_id <> :person
  UNION ALL SELECT m.*::text FROM nexara.meter m
) bystanders
"""


def erase(house, business: UUID, scope: str, root: UUID) -> UUID:
    """Ask for an erasure as the web tier does."""
    with house.acting_for(business) as db:
        return UUID(str(db.scalar(ERASE, {"scope": scope, "root": root})))


def go_on(house, remaining, erasure: UUID, looks: int = 6) -> str:
    """Let the time pass for which copies and jobs wait, until the erasure is completed; return its state."""
    house.drain()
    for _ in range(looks):
        if state(house, erasure) == "completed":
            break
        remaining.later()
    return state(house, erasure)


def state(house, erasure: UUID) -> str:
    return str(house.sql("SELECT state FROM nexara.erasures WHERE id = :id", id=erasure))


def receipts(house, business: UUID) -> list[Receipt]:
    asked = "SELECT * FROM nexara.receipts_v1(:business)"
    return [Receipt(business_id=business, **row._mapping) for row in house.rows(asked, business=business)]


@pytest.fixture
def called(house, shop, remaining):
    """Two callers, one of whom also left a copy at a carrier."""
    one, other = shop.call(BOOKING.audio), shop.call(BOOKING.audio, number="+447700900456")
    house.drain()
    house.sql("UPDATE nexara.calls SET twilio_ref = 'CA1' WHERE id = :id", id=one.call)
    remaining.put("twilio", "call", "CA1")
    return one, other


def test_a_person_is_erased_everywhere_and_nobody_else_is_touched(house, shop, remaining, objects, called):
    one, other = called
    before = house.sql(OF_ALL, person=one.person)
    erasure = erase(house, shop.business, "person", one.person)
    assert go_on(house, remaining, erasure) == "completed"
    assert house.sql(OF_ALL, person=one.person) == before
    for table in ("people", "conversations", "leads", "calls", "recordings", "transcripts", "summaries"):
        assert house.sql(f"SELECT count(*) FROM nexara.{table}") == 1, table
    assert remaining.at("twilio") == set()
    assert all(objects.gone(key) for key in one.objects)
    assert not any(objects.gone(key) for key in other.objects)
    assert house.sql("SELECT count(*) FROM nexara.remains WHERE ref IS NOT NULL") == 0
    assert house.sql("SELECT count(*) FROM nexara.erasure_scope") == 0


def test_the_receipt_names_nobody_and_lies_outside_too(house, shop, remaining, objects, called):
    one, _ = called
    erasure = erase(house, shop.business, "person", one.person)
    go_on(house, remaining, erasure)
    (receipt,) = receipts(house, shop.business)
    assert broken([receipt]) == []
    told = json.dumps(receipt.body)
    assert not any(str(each) in told for each in (one.person, one.conversation, one.call, "447700900123", "CA1"))
    assert receipt.body["rows"]["people"] == 1
    assert {(each["store"], each["state"]) for each in receipt.body["copies"]} >= {("twilio", "confirmed")}
    kept = json.loads(objects.get(f"{RECEIPTS}{shop.business}/{erasure}/{receipt.hash}.json"))
    assert kept["hash"] == receipt.hash
    receipt.body = receipt.body | {"rows": {}}
    assert "was changed" in broken([receipt])[0]


def test_nothing_goes_before_it_is_written_down_outside(house, shop, remaining, objects, called):
    one, _ = called
    house.asking(s3_endpoint="http://127.0.0.1:9")
    erasure = erase(house, shop.business, "person", one.person)
    house.drain()
    assert state(house, erasure) == "confirmed"
    assert house.sql("SELECT count(*) FROM nexara.people") == 2
    house.asking()
    assert go_on(house, remaining, erasure) == "completed"
    entry = Entry.model_validate_json(objects.get(key_of(shop.business, erasure)))
    assert {meant.row_id for meant in entry.meant} >= {one.person}


def test_a_vendor_that_keeps_a_copy_keeps_the_erasure_open(house, shop, remaining, called):
    one, _ = called
    remaining.wires["twilio"].reset()
    remaining.put("twilio", "call", "CA1", deletes="never")
    erasure = erase(house, shop.business, "person", one.person)
    assert go_on(house, remaining, erasure, looks=3) == "pending"
    assert receipts(house, shop.business) == []
    remaining.wires["twilio"].reset()
    assert go_on(house, remaining, erasure) == "completed"


def test_what_a_restored_backup_has_again_is_erased_again(house, shop, remaining, called):
    one, _ = called
    kept = {
        table: house.rows(f"SELECT to_jsonb(t) AS row FROM nexara.{table} t WHERE business_id = :b", b=shop.business)
        for table in ("people", "identifiers", "conversations")
    }
    erasure = erase(house, shop.business, "person", one.person)
    go_on(house, remaining, erasure)
    with house.admin.begin() as db:
        db.execute(text("SET LOCAL session_replication_role = replica"))
        for table, rows in kept.items():
            for each in rows:
                back = f"INSERT INTO nexara.{table} SELECT * FROM jsonb_populate_record(NULL::nexara.{table}, :row)"
                db.execute(text(f"{back} ON CONFLICT DO NOTHING"), {"row": json.dumps(each.row)})
        for table in ("receipts", "tombstones", "remains", "erasures"):
            db.execute(text(f"DELETE FROM nexara.{table}"))
    assert house.sql("SELECT count(*) FROM nexara.people WHERE id = :id", id=one.person) == 1
    house.enqueue(ReplayErasure(erasure_id=erasure), shop.business)
    assert go_on(house, remaining, erasure) == "completed"
    assert house.sql("SELECT count(*) FROM nexara.people WHERE id = :id", id=one.person) == 0
    assert house.rows("SELECT origin, replayed FROM nexara.erasures") == [("dashboard", True)]


def test_what_two_share_waits_for_a_decision_and_then_for_the_officer(house, shop, remaining):
    one, other = shop.call(BOOKING.audio), shop.call(BOOKING.audio)
    house.drain()
    ask = "SELECT nexara.ask_erasure_v1(:b, 'person', NULL, ARRAY['07700 900123'])"
    with house.on_call.begin() as db:
        erasure = UUID(str(db.scalar(text(ask), {"b": shop.business})))
    house.drain()
    confirm = text("SELECT nexara.confirm_erasure_v1(:b, :e)")
    told = {"b": shop.business, "e": erasure}
    with pytest.raises(DBAPIError, match="somebody has to decide"), house.on_call.begin() as db:
        db.execute(confirm, told)
    meant = house.rows("SELECT * FROM nexara.erasure_scope_v1(:b, :e)", **told)
    assert {row.decision for row in meant} == {"review"}
    with house.on_call.begin() as db:
        for row in meant:
            is_one = row.row_id == one.person or (
                row.source == "identifiers" and _whose(house, row.row_id) == one.person
            )
            decide = text("SELECT nexara.decide_erasure_v1(:b, :e, :row, :decision)")
            db.execute(decide, {**told, "row": row.row_id, "decision": "include" if is_one else "exclude"})
        db.execute(confirm, told)
    assert go_on(house, remaining, erasure) == "completed"
    assert [row.id for row in house.rows("SELECT id FROM nexara.people")] == [other.person]


def _whose(house, identifier: UUID) -> UUID:
    return UUID(str(house.sql("SELECT person_id FROM nexara.identifiers WHERE id = :id", id=identifier)))


def test_what_was_typed_is_kept_no_longer_than_it_takes_to_resolve_it(house, shop, remaining):
    shop.call(BOOKING.audio)
    house.drain()
    ask = "SELECT nexara.ask_erasure_v1(:b, 'person', NULL, ARRAY['  (07700) 900-123 '])"
    with house.on_call.begin() as db:
        erasure = UUID(str(db.scalar(text(ask), {"b": shop.business})))
    assert house.sql("SELECT count(*) FROM nexara.erasure_scope WHERE source = 'asked'") == 1
    house.drain()
    assert house.sql("SELECT count(*) FROM nexara.erasure_scope WHERE source = 'asked'") == 0
    assert "900" not in str(house.rows("SELECT payload FROM ledger.jobs WHERE kind LIKE 'privacy.%'"))
    with house.on_call.begin() as db:
        db.execute(text("SELECT nexara.withdraw_erasure_v1(:b, :e)"), {"b": shop.business, "e": erasure})
    assert house.sql("SELECT count(*) FROM nexara.erasure_scope") == 0


def test_the_web_tier_erases_for_whom_it_acts_and_nothing_larger(house, shop, called):
    one, _ = called
    with pytest.raises(DBAPIError, match="nobody is acted for"), house.web.begin() as db:
        db.execute(ERASE, {"scope": "person", "root": one.person})
    with pytest.raises(DBAPIError, match="whole business"):
        erase(house, shop.business, "business", shop.business)
