"""What each scope takes and what it leaves: calls and messages, one recording, a member, a visitor, a business."""

from datetime import date
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from lifecycle.meant import meant
from lifecycle.raw import forget_raw
from lifecycle.remaining import rows_left
from lifecycle.scrub import ERASED
from models.erasures import Decision, Erasure, ErasureScope, ErasureState, Scope
from tests.lifecycle.erasing.world import NOTED, OURS, changed, keys

CUSTOMER = {"contacts", "leads", "bookings", "tasks", "invoices", "invoice_lines", "quotes", "quote_lines"}
WHO = {"people", "people_merged", "identifiers"}


@pytest.mark.parametrize("batch", [1, 500])
def test_communications_leave_the_customer(world, batch):
    anna, ben = world.person(), world.person()
    before = world.rows()
    world.erase(world.confirmed(Scope.COMMUNICATIONS, anna["people"]["id"]), batch=batch)
    left = keys(anna) & world.rows().keys()
    assert {name for name, _ in left} == CUSTOMER | WHO
    assert changed(before, world.rows()) == keys(anna) - left | {("leads", anna["leads"]["id"])}
    lead = world.one("leads", anna["leads"]["id"])
    assert (lead.verbatim, lead.conversation_id) == (ERASED, None)
    assert lead.phone == anna["leads"]["phone"]
    assert keys(ben) <= world.rows().keys()


def test_communications_of_who_is_no_customer_leave_nothing(world):
    person = uuid4()
    world.put("people", id=person)
    mine = {("people", person), ("identifiers", world.put("identifiers", person_id=person))}
    mine.add(("conversations", world.put("conversations", person_id=person)))
    erasure = world.confirmed(Scope.COMMUNICATIONS, person)
    with world.job() as db:
        assert rows_left(db, db.get_one(Erasure, erasure)) == {"conversations": 1, "identifiers": 1, "people": 1}
    world.erase(erasure)
    assert not mine & world.rows().keys()


def test_one_recording_goes_with_what_was_made_from_it_and_its_call_stays(world):
    anna = world.person()
    leg = anna["recordings"]["leg_id"]
    second = world.put("recordings", leg_id=leg)
    heard = world.put("transcripts", recording_id=second)
    before = world.rows()
    done = world.erase(world.confirmed(Scope.RECORDING, anna["recordings"]["id"]))
    gone = {(name, anna[name]["id"]) for name in ("recordings", "transcripts", "summaries")}
    lead = ("leads", anna["leads"]["id"])
    assert changed(before, world.rows()) == gone | {lead}
    assert gone - world.rows().keys() == gone
    assert {("recordings", second), ("transcripts", heard), lead} <= world.rows().keys()
    assert world.one("leads", anna["leads"]["id"]).verbatim == ERASED
    assert world.one("leads", anna["leads"]["id"]).name == anna["leads"]["name"]
    assert done.derived == [("conversations", anna["conversations"]["id"])]


@pytest.mark.parametrize("batch", [1, 500])
def test_a_member_goes_and_the_customers_they_looked_after_stay(world, batch):
    anna, member = world.person(), world.base[world.mine]["members"]["id"]
    before = world.rows()
    erasure = world.confirmed(Scope.MEMBER, member)
    world.erase(erasure, batch=batch)
    gone = {key for key in before.keys() - world.rows().keys() if key[0] not in NOTED}
    assert {name for name, _ in gone} - {"users"} == {"members", "integrations", "product_events", "emails_sent"}
    assert keys(anna) - {
        ("product_events", anna["product_events"]["id"]),
        ("emails_sent", anna["emails_sent"]["id"]),
    } <= (world.rows().keys())
    access = "SELECT count(*) FROM nexara.remains WHERE erasure_id = :id AND store = 'google' AND what = 'access'"
    assert world.sql(access, id=erasure) == 1, "what gives the access back has no token to do it with"
    for name, column in (
        *(("contacts", "assigned_to"), ("leads", "assigned_to"), ("messages", "author_member_id")),
        *(("call_legs", "member_id"), ("bookings", "staff_id"), ("tasks", "member_id")),
    ):
        assert getattr(world.one(name, anna[name]["id"]), column) is None, name
    assert world.one("messages", anna["messages"]["id"]).body == anna["messages"]["body"]
    with world.job() as db:
        assert rows_left(db, db.get_one(Erasure, erasure)) == {}


def test_a_visitor_of_whom_nothing_else_is_known_goes_whole(world):
    person = uuid4()
    world.put("people", id=person)
    world.put("identifiers", person_id=person, kind="chat_session", value=str(uuid4()))
    visitor = world.put("visitors", person_id=person)
    seen = world.put("product_events", visitor_id=visitor, member_id=None)
    chat = world.put("conversations", person_id=person, channel="web_chat")
    world.erase(world.confirmed(Scope.VISITOR, visitor), batch=1)
    left = world.rows().keys()
    assert not {("people", person), ("visitors", visitor), ("product_events", seen), ("conversations", chat)} & left


def test_a_visitor_who_is_a_customer_loses_the_browser_alone_unless_somebody_decides_otherwise(world):
    anna = world.person()
    erasure = world.asked(Scope.VISITOR, anna["visitors"]["id"])
    with world.job() as db:
        meant = {(row.source, row.decision) for row in db.query(ErasureScope) if row.erasure_id == erasure}
    assert meant == {
        ("visitors", Decision.INCLUDE),
        ("people", Decision.EXCLUDE),
        ("identifiers", Decision.EXCLUDE),
    }
    world.begin(erasure)
    world.erase(erasure)
    gone = keys(anna) - world.rows().keys()
    assert {name for name, _ in gone} == {"visitors", "product_events"}


@pytest.mark.parametrize("batch", [1, 500])
def test_a_business_goes_and_what_a_law_keeps_stays(world, batch):
    world.person()
    other = world.person(world.theirs)
    world.sql(
        "INSERT INTO nexara.provider_events (business_id, provider, event_key, payload) "
        "VALUES (:b, 'twilio', repeat('a', 64), '{}')",
        b=world.mine,
    )
    before = world.rows()
    erasure = world.confirmed(Scope.BUSINESS)
    with world.job() as db:
        plan = rows_left(db, db.get_one(Erasure, erasure))
    assert plan["people"] == 2
    world.erase(erasure, batch=batch)
    with world.admin.connect() as db:
        left = {
            name
            for name, table in OURS.items()
            if "business_id" in table.columns
            and db.execute(table.select().where(table.c.business_id == world.mine)).first()
        }
    kept = {"meter", "subscriptions", "remains", "erasures", "receipts"}
    # What this erasure itself is done by goes when it is completed.
    assert left == kept | {"erasure_scope"}
    assert (
        world.sql("SELECT count(DISTINCT erasure_id) FROM nexara.erasure_scope WHERE business_id = :b", b=world.mine)
        == 1
    )
    others = {key for key, told in before.items() if str(world.mine) not in told and key[0] != "users"}
    assert not others & changed(before, world.rows())
    assert keys(other) <= world.rows().keys()
    with world.job() as db:
        assert rows_left(db, db.get_one(Erasure, erasure)) == {}


def test_what_is_kept_of_a_business_says_until_when(world):
    meter = world.base[world.mine]["meter"]["id"]
    for table in ("meter", "subscriptions", "businesses"):
        column = "id" if table == "businesses" else "business_id"
        world.sql(f"UPDATE nexara.{table} SET keep_until = NULL WHERE {column} = :b", b=world.mine)
    world.sql("DELETE FROM nexara.keep_periods")
    world.sql(
        "INSERT INTO nexara.keep_periods "
        f"SELECT * FROM jsonb_populate_recordset(NULL::nexara.keep_periods, '{PERIODS}')"
    )
    quantity = world.one("meter", meter).quantity
    world.erase(world.confirmed(Scope.BUSINESS))
    assert world.one("meter", meter).keep_until == date(2033, 1, 1)
    assert world.one("meter", meter).quantity == quantity
    business = world.one("businesses", world.mine)
    assert (business.name, business.country, business.keep_until) == (ERASED, "IE", date(2033, 1, 1))


PERIODS = (
    '[{"reason": "billing", "country": "IE", "years": 6, "looked_up": true},'
    ' {"reason": "billing", "country": "DE", "years": 8, "looked_up": true}]'
)


def test_nothing_goes_for_an_erasure_that_nobody_confirmed(world):
    anna = world.person()
    erasure = world.asked(Scope.PERSON, anna["people"]["id"])
    with pytest.raises(ValueError, match="nothing is erased for an erasure that is resolving"):
        world.batch(erasure, 500)
    with pytest.raises(DBAPIError, match="nothing is deleted for an erasure that is resolving"), world.job() as db:
        row = db.get_one(Erasure, erasure)
        forget_raw(db, row, meant(db, row), most=1)
    assert keys(anna) <= world.rows().keys()
    with world.job() as db:
        assert db.get_one(Erasure, erasure).state is ErasureState.RESOLVING
