"""Lemon Squeezy: a subscription is read without who pays, and a period's total is counted once."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.errors import GiveUp, JobError, Misconfigured, TryAgain
from providers.lemon_squeezy import Item, LemonSqueezy, Reported, Subscription, Usage
from tests.providers.scripted import Answer, Vendor
from tests.providers.traces import assert_says_nothing_of, failure_of

SECRETS = ("Marigold", "marigold", "k-secret", "4242")
START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
ATTRIBUTES: dict[str, Any] = {
    "store_id": 1,
    "customer_id": 77,
    "user_name": "Marigold Parker",
    "user_email": "marigold@example.com",
    "card_last_four": "4242",
    "status": "active",
    "cancelled": False,
    "trial_ends_at": None,
    "renews_at": "2026-12-01T00:00:00.000000Z",
    "ends_at": None,
    "created_at": "2026-10-01T00:00:00.000000Z",
    "updated_at": "2026-11-01T00:00:00.000000Z",
}


@pytest.fixture
def lemon(vendor: Vendor) -> LemonSqueezy:
    return LemonSqueezy(api_key="k-secret", base_url=vendor.url + "/", timeout=5.0)


def subscription(ref: str = "5", **changes: Any) -> Answer:
    return Answer(body={"data": {"type": "subscriptions", "id": ref, "attributes": ATTRIBUTES | changes}})


def counted(quantity: Any, start: datetime = START) -> Answer:
    meta = {"period_start": start.isoformat(), "period_end": END.isoformat(), "quantity": quantity}
    return Answer(body={"meta": meta | {"interval_unit": "month", "interval_quantity": 1}})


def record(quantity: int, action: str = "set", item: int = 9, ref: str = "1") -> dict[str, Any]:
    made = {"subscription_item_id": item, "quantity": quantity, "action": action, "created_at": START.isoformat()}
    return {"type": "usage-records", "id": ref, "attributes": made}


def taken(quantity: int, action: str = "set", item: int = 9) -> Answer:
    return Answer(201, {"data": record(quantity, action, item)})


def refusal(status: int) -> Answer:
    return Answer(status, {"errors": [{"status": str(status), "title": "Marigold", "detail": "Marigold"}]})


def test_a_subscription_is_read_without_who_pays(lemon: LemonSqueezy, vendor: Vendor) -> None:
    vendor.answers(subscription())
    found = lemon.subscription("5")
    assert found == Subscription(
        ref="5",
        customer_ref="77",
        status="active",
        cancelled=False,
        trial_ends_at=None,
        renews_at=END,
        ends_at=None,
        updated_at=START,
    )
    assert not any(secret in repr(found) for secret in SECRETS)
    [asked] = vendor.asked
    assert (asked.method, asked.path) == ("GET", "/v1/subscriptions/5")
    assert asked.headers["authorization"] == "Bearer k-secret"
    assert asked.headers["accept"] == asked.headers["content-type"] == "application/vnd.api+json"


@pytest.mark.parametrize("changes", [{"status": "Marigold"}, {"renews_at": "2026-12-01"}, {"customer_id": None}])
def test_a_state_that_nobody_knows_is_no_answer(lemon: LemonSqueezy, vendor: Vendor, changes: Any) -> None:
    vendor.answers(subscription(**changes))
    error = failure_of(lambda: lemon.subscription("5"))
    assert error.code == "lemon_squeezy_garbled"
    assert_says_nothing_of(error, *SECRETS)


def test_another_subscription_than_asked_for_is_no_answer(lemon: LemonSqueezy, vendor: Vendor) -> None:
    vendor.answers(subscription("6"))
    assert failure_of(lambda: lemon.subscription("5")).code == "lemon_squeezy_garbled"


def test_a_subscription_is_cancelled_at_the_end_of_its_period(lemon: LemonSqueezy, vendor: Vendor) -> None:
    ended = {"status": "cancelled", "cancelled": True, "ends_at": "2026-12-01T00:00:00.000000Z"}
    vendor.answers(subscription(), subscription(**ended))
    cancelled = lemon.cancel("5")
    assert (cancelled.status, cancelled.ends_at) == ("cancelled", END)
    assert [asked.method for asked in vendor.asked] == ["GET", "DELETE"]


@pytest.mark.parametrize("changes", [{"status": "cancelled", "cancelled": True}, {"status": "expired"}])
def test_what_is_cancelled_or_over_is_not_cancelled_again(lemon: LemonSqueezy, vendor: Vendor, changes: Any) -> None:
    vendor.answers(subscription(**changes))
    assert lemon.cancel("5").status == changes["status"]
    assert [asked.method for asked in vendor.asked] == ["GET"]


def test_all_pages_of_the_items_are_read(lemon: LemonSqueezy, vendor: Vendor) -> None:
    def page(number: int) -> Answer:
        of = {"subscription_id": 5, "price_id": 3, "is_usage_based": number == 1, "quantity": 0}
        data = [{"type": "subscription-items", "id": str(number), "attributes": of}]
        return Answer(body={"meta": {"page": {"currentPage": number, "lastPage": 2}}, "data": data})

    vendor.answers(page(1), page(2))
    assert lemon.items("5") == (Item("1", "3", usage_based=True), Item("2", "3", usage_based=False))
    assert [asked.query["page[number]"] for asked in vendor.asked] == [["1"], ["2"]]
    assert vendor.asked[0].query["filter[subscription_id]"] == ["5"]


def test_a_list_without_end_is_given_up(lemon: LemonSqueezy, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"meta": {"page": {"lastPage": 10**6}}, "data": []}))
    assert failure_of(lambda: lemon.items("5")).code == "lemon_squeezy_too_many"


@pytest.mark.parametrize("how", ["sum", "last_during_period", "last_ever", "max", None])
def test_a_price_says_how_it_counts(lemon: LemonSqueezy, vendor: Vendor, how: str | None) -> None:
    vendor.answers(Answer(body={"data": {"type": "prices", "id": "3", "attributes": {"usage_aggregation": how}}}))
    assert lemon.aggregation("3") == how


def test_a_total_is_set_and_read_back(lemon: LemonSqueezy, vendor: Vendor) -> None:
    vendor.answers(counted(10), taken(42), counted(42))
    assert lemon.report_usage("9", 42, period_start=START) == Reported(Usage(START, END, 42), sent=True)
    assert [asked.method for asked in vendor.asked] == ["GET", "POST", "GET"]
    assert vendor.asked[1].path == "/v1/usage-records"
    assert vendor.asked[1].headers["content-type"] == "application/vnd.api+json"
    assert vendor.asked[1].json == {
        "data": {
            "type": "usage-records",
            "attributes": {"quantity": 42, "action": "set"},
            "relationships": {"subscription-item": {"data": {"type": "subscription-items", "id": "9"}}},
        }
    }


def test_a_total_may_be_reached_by_adding_the_difference(lemon: LemonSqueezy, vendor: Vendor) -> None:
    vendor.answers(counted(10), taken(32, "increment"), counted(42))
    assert lemon.report_usage("9", 42, period_start=START, adding=True).usage.quantity == 42
    assert vendor.asked[1].json["data"]["attributes"] == {"quantity": 32, "action": "increment"}


@pytest.mark.parametrize("adding", [True, False])
@pytest.mark.parametrize("total", [0, 42])
def test_a_total_that_is_counted_is_not_sent_again(
    lemon: LemonSqueezy, vendor: Vendor, total: int, *, adding: bool
) -> None:
    vendor.answers(counted(total))
    assert lemon.report_usage("9", total, period_start=START, adding=adding).sent is False
    assert [asked.method for asked in vendor.asked] == ["GET"]


def test_a_record_whose_answer_was_lost_is_found_and_not_sent_again(lemon: LemonSqueezy, vendor: Vendor) -> None:
    vendor.answers(counted(10), Answer(how="reset"))
    assert failure_of(lambda: lemon.report_usage("9", 42, period_start=START, adding=True)).code.endswith("unreachable")
    vendor.answers(counted(42))
    assert lemon.report_usage("9", 42, period_start=START, adding=True).sent is False


def test_nothing_is_sent_to_another_period(lemon: LemonSqueezy, vendor: Vendor) -> None:
    vendor.answers(counted(0, END))
    error = failure_of(lambda: lemon.report_usage("9", 42, period_start=START))
    assert (type(error), error.code) == (GiveUp, "lemon_squeezy_other_period")
    assert len(vendor.asked) == 1


@pytest.mark.parametrize(("total", "adding"), [(0, False), (0, True), (9, True)])
def test_a_record_of_nothing_or_less_is_not_sent(
    lemon: LemonSqueezy, vendor: Vendor, total: int, *, adding: bool
) -> None:
    vendor.answers(counted(10))
    error = failure_of(lambda: lemon.report_usage("9", total, period_start=START, adding=adding))
    assert (type(error), error.code) == (GiveUp, "lemon_squeezy_lower")
    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    ("script", "kind", "code"),
    [
        ([counted(10), taken(42), counted(10)], TryAgain, "lemon_squeezy_unsettled"),
        ([counted(10), taken(42), counted(42, END)], TryAgain, "lemon_squeezy_unsettled"),
        ([counted(10), taken(42), counted(52)], Misconfigured, "lemon_squeezy_adds_up"),
        ([counted(10), taken(41)], TryAgain, "lemon_squeezy_garbled"),
        ([counted(10), taken(42, "increment")], TryAgain, "lemon_squeezy_garbled"),
        ([counted(10), taken(42, "set", 8)], TryAgain, "lemon_squeezy_garbled"),
        ([counted(-1)], TryAgain, "lemon_squeezy_garbled"),
        ([counted(1.5)], TryAgain, "lemon_squeezy_garbled"),
        ([counted("10")], TryAgain, "lemon_squeezy_garbled"),
        ([counted(10), refusal(422)], GiveUp, "lemon_squeezy_refused"),
    ],
)
def test_what_is_not_counted_as_it_was_sent_is_told(
    lemon: LemonSqueezy, vendor: Vendor, script: list[Answer], kind: type[JobError], code: str
) -> None:
    vendor.answers(*script)
    error = failure_of(lambda: lemon.report_usage("9", 42, period_start=START))
    assert (type(error), error.code) == (kind, code)
    assert len(vendor.asked) == len(script)


def test_a_negative_total_is_a_mistake_of_ours(lemon: LemonSqueezy, vendor: Vendor) -> None:
    with pytest.raises(ValueError, match="negative"):
        lemon.report_usage("9", -1, period_start=START)
    assert vendor.asked == []


def test_the_records_of_an_item_can_be_read(lemon: LemonSqueezy, vendor: Vendor) -> None:
    data = [record(10), record(42, ref="2")]
    vendor.answers(Answer(body={"meta": {"page": {"lastPage": 1}}, "data": data}))
    assert [(one.ref, one.quantity, one.action) for one in lemon.usage_records("9")] == [
        ("1", 10, "set"),
        ("2", 42, "set"),
    ]


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (refusal(404), GiveUp, "lemon_squeezy_missing"),
        (Answer(404, "<h1>Marigold</h1>", kind="text/html"), Misconfigured, "lemon_squeezy_not_there"),
        (refusal(401), Misconfigured, "lemon_squeezy_key_refused"),
        (refusal(403), Misconfigured, "lemon_squeezy_key_refused"),
        (refusal(400), GiveUp, "lemon_squeezy_refused"),
        (refusal(409), TryAgain, "lemon_squeezy_unready"),
        (refusal(503), TryAgain, "lemon_squeezy_down"),
    ],
)
def test_what_a_refusal_means(
    lemon: LemonSqueezy, vendor: Vendor, answer: Answer, kind: type[JobError], code: str
) -> None:
    vendor.answers(answer)
    for ask in (lemon.subscription, lemon.items, lemon.usage, lemon.usage_records, lemon.aggregation, lemon.cancel):
        error = failure_of(lambda ask=ask: ask("5"))
        assert (type(error), error.code) == (kind, code)
        assert_says_nothing_of(error, *SECRETS)


def test_a_good_key_passes_the_check(lemon: LemonSqueezy, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"data": []}))
    lemon.check()
    assert (vendor.asked[0].path, vendor.asked[0].query) == ("/v1/subscriptions", {"page[size]": ["1"]})
