"""The sandbox's Lemon Squeezy, asked through our own client: a total is counted once, whatever goes wrong between."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from ledger import clock
from ledger.errors import JobError, Misconfigured
from providers.lemon_squeezy import LemonSqueezy
from sandbox.vendors import lemon_squeezy
from tests.sandbox.filling import close_all, fill, held, opened, reset, wrong

START = clock.now().replace(microsecond=0) - timedelta(days=3)
END = START + timedelta(days=30)
SUBSCRIPTION = {
    "customer_id": 77,
    "user_email": "owner@harbour.example",
    "status": "active",
    "cancelled": False,
    "trial_ends_at": None,
    "renews_at": END.isoformat(),
    "ends_at": None,
    "updated_at": START.isoformat(),
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with lemon_squeezy.start() as base:
        yield base


@pytest.fixture
def lemon(url: str) -> Iterator[LemonSqueezy]:
    reset(url)
    sell(url)
    yield opened(LemonSqueezy(api_key="sandbox-lemon-squeezy", base_url=url, timeout=2.0))
    close_all()


def sell(url: str, aggregation: str = "last_during_period", start: datetime = START) -> None:
    period = {"period_start": start.isoformat(), "period_end": END.isoformat()}
    item = {"subscription_id": 5, "price_id": 3, "quantity": 0, "is_usage_based": True}
    price = {"usage_aggregation": aggregation}
    fill(url, subscriptions={"5": SUBSCRIPTION}, items={"9": item | period}, prices={"3": price})


def records(url: str) -> list[tuple[int, str]]:
    return [(one["quantity"], one["action"]) for one in held(url)["records"].values()]


def test_what_was_sold_is_found_from_the_subscription_to_the_price(lemon: LemonSqueezy) -> None:
    assert lemon.subscription("5").status == "active"
    [item] = lemon.items("5")
    assert (item.ref, item.usage_based) == ("9", True)
    assert lemon.aggregation(item.price_ref) == "last_during_period"
    assert (lemon.usage("9").quantity, lemon.usage("9").start) == (0, START)
    lemon.check()


def test_a_subscription_ends_with_its_period_and_once(lemon: LemonSqueezy) -> None:
    assert (lemon.cancel("5").ends_at, lemon.cancel("5").status) == (END, "cancelled")


@pytest.mark.parametrize("adding", [True, False])
@pytest.mark.parametrize("fault", [{"cut": True}, {"reset": True}, {"html": True}, {"delay": 4}, {"status": 500}])
def test_a_total_is_counted_once_though_the_answer_is_lost(
    lemon: LemonSqueezy, url: str, fault: dict[str, Any], *, adding: bool
) -> None:
    lemon.report_usage("9", 10, period_start=START, adding=adding)
    wrong(url, {"delay": 0}, fault)
    with pytest.raises(JobError):
        lemon.report_usage("9", 42, period_start=START, adding=adding)
    for _ in range(2):
        assert lemon.report_usage("9", 42, period_start=START, adding=adding).usage.quantity == 42
    assert records(url) == ([(10, "increment"), (32, "increment")] if adding else [(10, "set"), (42, "set")])
    assert [(one.quantity, one.action) for one in lemon.usage_records("9")] == records(url)


def test_a_price_that_sums_up_is_found_out_before_more_is_counted(lemon: LemonSqueezy, url: str) -> None:
    sell(url, "sum")
    lemon.report_usage("9", 10, period_start=START)
    with pytest.raises(Misconfigured, match="lemon_squeezy_adds_up"):
        lemon.report_usage("9", 42, period_start=START)
    assert lemon.usage("9").quantity == 52


def test_the_period_that_is_over_counts_nothing_more(lemon: LemonSqueezy, url: str) -> None:
    lemon.report_usage("9", 10, period_start=START)
    later = clock.now() + timedelta(days=1)
    sell(url, start=later)
    with pytest.raises(JobError, match="lemon_squeezy_other_period"):
        lemon.report_usage("9", 42, period_start=START)
    assert lemon.usage("9").quantity == 0


def test_records_come_page_by_page(lemon: LemonSqueezy, url: str) -> None:
    made = {"subscription_item_id": 9, "quantity": 1, "action": "increment", "created_at": START.isoformat()}
    fill(url, records={str(n): made for n in range(1, 251)})
    assert len(lemon.usage_records("9")) == 250
    assert httpx.get(f"{url}/_sandbox/requests").json()["count"] == 3
    assert lemon.usage("9").quantity == 250


@pytest.mark.parametrize("quantity", [0, -1, "5", 1.5])
def test_a_record_that_is_none_is_refused(lemon: LemonSqueezy, url: str, quantity: Any) -> None:
    whose = {"subscription-item": {"data": {"type": "subscription-items", "id": "9"}}}
    body = {"data": {"type": "usage-records", "attributes": {"quantity": quantity}, "relationships": whose}}
    answer = httpx.post(f"{url}/v1/usage-records", json=body, headers={"authorization": "Bearer sandbox"})
    assert (answer.status_code, answer.json()["errors"][0]["status"]) == (422, "422")
    assert records(url) == []


def test_what_is_not_there_is_missing_and_a_real_key_is_refused(lemon: LemonSqueezy, url: str) -> None:
    for ask in (lemon.subscription, lemon.usage, lemon.aggregation):
        with pytest.raises(JobError, match="lemon_squeezy_missing"):
            ask("404")
    with pytest.raises(Misconfigured, match="lemon_squeezy_key_refused"):
        opened(LemonSqueezy(api_key="eyJ0eXAi", base_url=url)).check()
