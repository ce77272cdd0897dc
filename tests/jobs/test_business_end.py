"""A business that left, from the end of its access to its receipt; and what of it runs elsewhere."""

import secrets
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jobs.retention.payloads import SweepRetention
from lifecycle.receipt import broken
from models.conversations import Channel
from tests.jobs.spoken import BOOKING
from tests.jobs.test_erasures import go_on, receipts
from tests.jobs.test_retention_end import DAY, now, stands, subscribe, sweep, turn

KEPT = {
    "businesses",
    "meter",
    "subscriptions",
    "remains",
    "receipts",
    "erasures",
    "tombstones",
    "salts",
    "suppressions",
}
"""What may have rows of a business that is erased: kept for billing, by law, or as the erasure's own proof."""
OF_TENANTS = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'business_id'
    WHERE n.nspname = 'nexara' AND c.relkind = 'r' ORDER BY 1
"""
SELLS = {
    "store_id": 1,
    "customer_id": 2,
    "order_id": 4,
    "product_id": 6,
    "variant_id": 7,
    "user_email": "owner@harbour.example",
    "cancelled": False,
    "trial_ends_at": None,
    "renews_at": "2027-01-01T00:00:00+00:00",
    "ends_at": None,
    "updated_at": "2026-11-01T00:00:00+00:00",
}


def runs(remaining, *refs: str, status: str = "active") -> None:
    """Let subscriptions run at the seller."""
    remaining.fill("lemon_squeezy", subscriptions={ref: SELLS | {"status": status} for ref in refs})


def at_the_seller(remaining) -> dict[str, str]:
    return {ref: each["status"] for ref, each in remaining.held("lemon_squeezy")["subscriptions"].items()}


def sold(house, shop, ref: str, status: str, ends_at=None) -> UUID:
    """Write a subscription, by its id at the seller."""
    made = subscribe(house, shop, status, ends_at)
    house.sql("UPDATE nexara.subscriptions SET subscription_ref = :ref WHERE id = :id", ref=ref, id=made)
    return made


def may_call(house, business: UUID) -> UUID:
    """Give a business a key to the HTTP API, and let it have asked something once."""
    key, digest = uuid4(), secrets.token_bytes(32)
    with house.on_call.begin() as db:
        db.execute(
            text("SELECT ledger.create_api_key_v1(:id, :digest, :b, 'web', ARRAY['jobs:write'], NULL)"),
            {"id": key, "digest": digest, "b": business},
        )
    house.sql(
        "INSERT INTO ledger.idempotency_keys (business_id, digest, request) VALUES (:b, :d, :d)", b=business, d=digest
    )
    return key


def keys(house, business: UUID) -> list[bool]:
    """Say of each key whether it is revoked."""
    found = "SELECT revoked_at IS NOT NULL AS ended FROM ledger.api_keys WHERE business_id = :b"
    return [row.ended for row in house.rows(found, b=business)]


def requests(house, business: UUID) -> int:
    return int(house.sql("SELECT count(*) FROM ledger.idempotency_keys WHERE business_id = :b", b=business))


def ask_for_all(house, business: UUID) -> UUID:
    """Have a whole business erased, as the privacy officer does."""
    with house.on_call.begin() as db:
        asked = text("SELECT nexara.ask_erasure_v1(:b, 'business')")
        erasure = UUID(str(db.scalar(asked, {"b": business})))
    house.drain()
    with house.on_call.begin() as db:
        db.execute(text("SELECT nexara.confirm_erasure_v1(:b, :e)"), {"b": business, "e": erasure})
    return erasure


def rows_of(house, business: UUID) -> dict[str, int]:
    tables = [row.relname for row in house.rows(OF_TENANTS)]
    counted = {
        table: house.sql(f"SELECT count(*) FROM nexara.{table} WHERE business_id = :b", b=business) for table in tables
    }
    return {table: count for table, count in counted.items() if count}


def test_a_business_that_left_goes_by_its_day_to_its_receipt_and_another_stays(house, new_shop, remaining, objects):
    shop, other = new_shop(), new_shop()
    for each in (shop, other):
        each.employ(f"{each.business}@example.com")
        told = each.call(BOOKING.audio, seconds=75)
        each.chat(Channel.SMS, [("inbound", "Hello")])
        may_call(house, each.business)
    house.drain()
    before = rows_of(house, other.business)
    used = "SELECT sum(quantity)::int FROM nexara.meter WHERE business_id = :b"
    assert house.sql(used, b=shop.business) == 76
    subscribe(house, other, "active")
    subscription = sold(house, shop, "11", "cancelled", now() - 43 * DAY)
    runs(remaining, "11", status="cancelled")
    sweep(house)
    assert stands(house, shop).erasing_at is None
    house.sql(
        "UPDATE nexara.businesses SET ended_at = ended_at - interval '1 day 1 hour' WHERE id = :b", b=shop.business
    )
    house.house_enqueue(SweepRetention(as_of=now()))
    house.drain()
    house.later()  # the month was to be counted first
    while stands(house, shop).erasing_at is None:
        assert house.step()
    assert keys(house, shop.business) == [True]
    erasure = house.sql("SELECT id FROM nexara.erasures WHERE business_id = :b", b=shop.business)
    assert go_on(house, remaining, erasure, looks=12) == "completed"
    assert stands(house, shop).erased_at is not None
    assert rows_of(house, shop.business).keys() <= KEPT
    assert house.sql(used, b=shop.business) == 76
    assert [each.key for each in objects.held(f"{shop.business}/")] == []
    assert (keys(house, shop.business), requests(house, shop.business)) == ([], 0)
    (receipt,) = receipts(house, shop.business)
    assert broken([receipt]) == []
    assert (receipt.body["scope"], receipt.body["origin"]) == ("business", "retention")
    with pytest.raises(DBAPIError, match="cannot come back"):
        turn(house, shop, subscription, "active")
    with pytest.raises(DBAPIError, match="there is no business"):
        may_call(house, shop.business)
    after = rows_of(house, other.business)
    assert {table: after[table] for table in before} == before
    assert (keys(house, other.business), requests(house, other.business)) == ([False], 1)
    assert any(each.key for each in objects.held(f"{other.business}/"))
    assert told.objects


def test_a_business_that_comes_back_in_time_keeps_all_it_has(house, shop, remaining):
    shop.call(BOOKING.audio)
    house.drain()
    may_call(house, shop.business)
    before = rows_of(house, shop.business)
    subscription = subscribe(house, shop, "expired", now() - 44 * DAY - timedelta(hours=1))
    turn(house, shop, subscription, "active")
    sweep(house)
    house.drain()
    assert stands(house, shop) == (None, None, None)
    assert keys(house, shop.business) == [False]
    assert {table: rows_of(house, shop.business)[table] for table in before} == before


def test_a_subscription_that_runs_is_cancelled_at_the_seller_when_all_is_erased(house, shop, remaining):
    sold(house, shop, "11", "active")
    sold(house, shop, "12", "expired", now() - DAY)
    runs(remaining, "11", "99")
    erasure = ask_for_all(house, shop.business)
    assert go_on(house, remaining, erasure) == "completed"
    assert at_the_seller(remaining) == {"11": "cancelled", "99": "active"}
    asked = [path for path in remaining.asked("lemon_squeezy", "DELETE") if path.endswith("/11")]
    assert len(asked) == 1
    assert remaining.asked("lemon_squeezy")[-1].endswith("/11"), "read back"
    assert not [path for path in remaining.asked("lemon_squeezy") if path.endswith("/12")]
    found = house.rows("SELECT status, keep_until IS NULL AS open FROM nexara.subscriptions ORDER BY status")
    assert [row.status for row in found] == ["cancelled", "expired"]
    assert not any(row.open for row in found)
    (receipt,) = receipts(house, shop.business)
    assert {"store": "lemon_squeezy", "what": "subscription", "state": "confirmed", "copies": 1} in receipt.body[
        "copies"
    ]


def test_while_the_seller_is_down_nothing_is_completed(house, shop, remaining):
    sold(house, shop, "11", "active")
    runs(remaining, "11")
    remaining.wires["lemon_squeezy"].goes_wrong(*({"status": 500} for _ in range(40)))
    erasure = ask_for_all(house, shop.business)
    assert go_on(house, remaining, erasure, looks=1) == "pending"
    assert receipts(house, shop.business) == []
    remaining.wires["lemon_squeezy"].reset()
    runs(remaining, "11")
    assert go_on(house, remaining, erasure) == "completed"
    assert set(at_the_seller(remaining).values()) == {"cancelled"}


def test_one_that_the_seller_does_not_know_runs_nowhere(house, shop, remaining):
    sold(house, shop, "11", "active")
    assert go_on(house, remaining, ask_for_all(house, shop.business)) == "completed"


def test_what_the_seller_tells_of_one_that_is_being_erased_is_written_down(house, shop, remaining):
    subscription = subscribe(house, shop, "active")
    ask_for_all(house, shop.business)
    turn(house, shop, subscription, "past_due")
    turn(house, shop, subscription, "cancelled", now() + 20 * DAY)
    assert house.sql("SELECT status FROM nexara.subscriptions") == "cancelled"
    with pytest.raises(DBAPIError, match="cannot come back"):
        turn(house, shop, subscription, "active")
    with pytest.raises(DBAPIError, match="cannot come back"):
        subscribe(house, shop, "on_trial")
