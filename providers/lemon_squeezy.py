"""Lemon Squeezy sells: what a business subscribed to is read there, and what it used is reported, each total once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from ledger.errors import GiveUp, JobError, Misconfigured, TryAgain
from providers.asking import ask
from providers.bounds import CHECK
from providers.copies import Deletion, Gone
from providers.http import Http, segment, usual
from providers.lemon_squeezy_reply import (
    Action,
    Aggregation,
    CurrentUsage,
    Item,
    Items,
    PriceReply,
    RecordReply,
    Records,
    Subscription,
    SubscriptionReply,
    Subscriptions,
    Usage,
    UsageRecord,
)
from providers.refusals import Garbled, Named, Refused
from providers.required import address, secret

__all__ = ["Item", "LemonSqueezy", "Reported", "Subscription", "Usage", "UsageRecord"]

KEY: Final = "LEMON_SQUEEZY_API_KEY"
BASE_URL: Final = "LEMON_SQUEEZY_BASE_URL"
NAMED: Final = Named("lemon_squeezy", "Lemon Squeezy", KEY, BASE_URL)
MEDIA_TYPE: Final = "application/vnd.api+json"
PAGE: Final = 100
MOST_PAGES: Final = 100

LEAST: Final = 1
"""Assumed: a record of nothing is refused. So a total that is nothing is only ever found, never sent."""

Page = TypeVar("Page", Items, Records)


@dataclass(frozen=True, slots=True)
class Reported:
    """What is counted there now, read back; `sent` unless it was counted already."""

    usage: Usage
    sent: bool


class LemonSqueezy:
    """A client that any number of threads may share; `timeout` is in seconds for a whole request.

    Raises Misconfigured when a value is missing; connects when first used.
    """

    def __init__(self, *, api_key: str, base_url: str, timeout: float = 15.0) -> None:
        headers = {
            "Authorization": f"Bearer {secret(api_key, KEY)}",
            "Accept": MEDIA_TYPE,
            "Content-Type": MEDIA_TYPE,
        }
        self._http = Http(address(base_url, BASE_URL) + "/v1", timeout=timeout, headers=headers)
        self._check = min(CHECK, timeout)

    def subscription(self, ref: str) -> Subscription:
        """Return a subscription; raise GiveUp `lemon_squeezy_missing` when there is none."""
        return ask(lambda: self._subscription("GET", ref), meaning)

    def cancel(self, ref: str) -> Subscription:
        """Let a subscription end with its period, and return it; one that is cancelled or over stays as it is."""

        def cancel() -> Subscription:
            found = self._subscription("GET", ref)
            return found if found.cancelled or found.status == "expired" else self._subscription("DELETE", ref)

        return ask(cancel, meaning)

    def delete(self, what: str, ref: str) -> Deletion:
        """Let a subscription end; one that is not there does not run."""
        _must_be_subscription(what)
        if not self.gone(what, ref):
            self.cancel(ref)
        return Gone()

    def gone(self, what: str, ref: str) -> bool:
        """Return whether a subscription runs no more: it is cancelled, is over, or is not there."""
        _must_be_subscription(what)
        try:
            found = self.subscription(ref)
        except GiveUp as error:
            if error.code == "lemon_squeezy_missing":
                return True
            raise
        return found.cancelled or found.status == "expired"

    def items(self, subscription: str) -> tuple[Item, ...]:
        """Return the priced things of a subscription."""
        query = {"filter[subscription_id]": subscription}
        return ask(
            lambda: tuple(one for page in self._pages("/subscription-items", query, Items) for one in page.kept()),
            meaning,
        )

    def aggregation(self, price: str) -> Aggregation | None:
        """Return how a price makes one number of several records; None for one without usage.

        Assumed: totals may be reported with `set` where it is `last_during_period` or `max`, never where it is `sum`.
        """
        path = f"/prices/{segment(price)}"
        return ask(
            lambda: PriceReply.model_validate(self._http.json("GET", path)).data.attributes.usage_aggregation, meaning
        )

    def usage(self, item: str) -> Usage:
        """Return what is counted for an item in its running period."""
        return ask(lambda: self._usage(item), meaning)

    def usage_records(self, item: str) -> tuple[UsageRecord, ...]:
        """Return every record of an item, of all periods."""
        query = {"filter[subscription_item_id]": item}
        return ask(
            lambda: tuple(one for page in self._pages("/usage-records", query, Records) for one in page.kept()), meaning
        )

    def report_usage(self, item: str, total: int, *, period_start: datetime, adding: bool = False) -> Reported:
        """Let the period that began at `period_start` count `total`, and return what is counted, read back.

        Idempotent, though the vendor knows no key: what is counted is read first, and a total that is there is not
        sent. `adding` sends the difference, for a price that sums up; else the total is set. One at a time for each
        item: two at once may both send. Raises TryAgain `lemon_squeezy_unsettled` when it does not show yet, GiveUp
        `lemon_squeezy_other_period` when that period is not the running one, and `lemon_squeezy_lower` for what
        cannot be sent; Misconfigured `lemon_squeezy_adds_up` when a total that was set was added.
        """
        if total < 0:
            raise ValueError("a total is not negative")
        action: Action = "increment" if adding else "set"

        def report() -> Reported:
            before = self._usage(item)
            if before.start != period_start:
                raise GiveUp("lemon_squeezy_other_period", "another period is running there")
            if before.quantity == total:
                return Reported(before, sent=False)
            quantity = total - before.quantity if adding else total
            if quantity < LEAST:
                raise GiveUp("lemon_squeezy_lower", "Lemon Squeezy takes no record of nothing or less")
            self._send(item, quantity, action)
            after = self._usage(item)
            if (after.start, after.quantity) == (period_start, total):
                return Reported(after, sent=True)
            if not adding and after.quantity == before.quantity + total:
                raise Misconfigured(
                    "lemon_squeezy_adds_up", "the price sums up what should replace what was there", setting="the price"
                )
            raise TryAgain("lemon_squeezy_unsettled", "what was reported does not show yet")

        return ask(report, meaning)

    def check(self) -> None:
        """Read the first of the subscriptions, which costs nothing and needs a good key."""
        query = {"page[size]": 1}
        ask(
            lambda: Subscriptions.model_validate(
                self._http.json("GET", "/subscriptions", params=query, timeout=self._check)
            ),
            meaning,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _subscription(self, method: str, ref: str) -> Subscription:
        found = SubscriptionReply.model_validate(self._http.json(method, f"/subscriptions/{segment(ref)}")).data.kept()
        if found.ref != ref:
            raise Garbled
        return found

    def _usage(self, item: str) -> Usage:
        path = f"/subscription-items/{segment(item)}/current-usage"
        return CurrentUsage.model_validate(self._http.json("GET", path)).kept()

    def _send(self, item: str, quantity: int, action: Action) -> None:
        whose = {"subscription-item": {"data": {"type": "subscription-items", "id": item}}}
        record = {
            "type": "usage-records",
            "attributes": {"quantity": quantity, "action": action},
            "relationships": whose,
        }
        answer = RecordReply.model_validate(self._http.json("POST", "/usage-records", json={"data": record}))
        if not answer.says(item, quantity, action):
            raise Garbled

    def _pages(self, path: str, query: dict[str, str], form: type[Page]) -> Iterator[Page]:
        for number in range(1, MOST_PAGES + 1):
            where = {**query, "page[number]": number, "page[size]": PAGE}
            page = form.model_validate(self._http.json("GET", path, params=where))
            yield page
            if number >= page.meta.page.lastPage:
                return
        raise GiveUp("lemon_squeezy_too_many", "the list is longer than we read")


def _must_be_subscription(what: str) -> None:
    if what != "subscription":
        raise ValueError(f"Lemon Squeezy lets us end no {what}")


def meaning(error: Exception) -> JobError:
    """Say what an error of the transport, a refusal or a wrong answer means for the job."""
    match error:
        case Refused(status=404) if isinstance(error.at("errors"), list):
            return GiveUp("lemon_squeezy_missing", "Lemon Squeezy has no such thing")
        case _:
            return usual(error, NAMED)
