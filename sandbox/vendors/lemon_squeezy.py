"""A local server that speaks the used part of Lemon Squeezy's API: subscriptions, their items, prices, usage.

For tests only: production never imports it, and every answer says `x-sandbox: true`. Held are `subscriptions`,
`items` (with `period_start` and `period_end` beside their attributes), `prices` and `records`.
"""

import json
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ledger import clock
from sandbox.vendors.held import Held, Thing
from sandbox.vendors.running import command, running, serve
from sandbox.vendors.serving import Vendor, is_sandbox_key

MEDIA_TYPE = "application/vnd.api+json"
PERIOD = ("period_start", "period_end")


def _answer(body: Thing, status: int = 200) -> JSONResponse:
    return JSONResponse({"jsonapi": {"version": "1.0"}, **body}, status, media_type=MEDIA_TYPE)


def refusal(status: int) -> JSONResponse:
    """Return an error as Lemon Squeezy words it."""
    title = HTTPStatus(status).phrase
    return _answer(
        {"errors": [{"detail": f"The sandbox says: {title}.", "status": str(status), "title": title}]}, status
    )


def _check_key(request: Request) -> JSONResponse | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return None if scheme == "Bearer" and is_sandbox_key(key) else refusal(401)


def _as_data(kind: str, key: str, thing: Thing) -> Thing:
    return {"type": kind, "id": key, "attributes": {name: value for name, value in thing.items() if name not in PERIOD}}


class Shop:
    """What is sold, and what of it was used."""

    def __init__(self, held: Held) -> None:
        self._held = held

    async def subscriptions(self, request: Request) -> Response:
        """Answer with a page of all of them."""
        return _page(request, "subscriptions", self._held.all("subscriptions"))

    async def subscription(self, request: Request) -> Response:
        """Answer with one, or cancel it."""
        key = request.path_params["id"]
        found = self._held.find("subscriptions", key)
        if found is None:
            return refusal(404)
        if request.method == "DELETE":
            if found["status"] == "expired":
                return refusal(422)
            found |= {"status": "cancelled", "cancelled": True, "ends_at": found["renews_at"]}
            self._held.put("subscriptions", key, found)
        return _answer({"data": _as_data("subscriptions", key, found)})

    async def items(self, request: Request) -> Response:
        """Answer with the items of a subscription."""
        wanted = request.query_params.get("filter[subscription_id]")
        found = {k: v for k, v in self._held.all("items").items() if str(v["subscription_id"]) == wanted}
        return _page(request, "subscription-items", found)

    async def price(self, request: Request) -> Response:
        """Answer with a price."""
        key = request.path_params["id"]
        found = self._held.find("prices", key)
        return refusal(404) if found is None else _answer({"data": _as_data("prices", key, found)})

    async def usage(self, request: Request) -> Response:
        """Answer with what is counted for an item in its running period."""
        item = self._held.find("items", request.path_params["id"])
        if item is None:
            return refusal(404)
        meta = {name: item[name] for name in PERIOD} | {"interval_unit": "month", "interval_quantity": 1}
        return _answer({"meta": meta | {"quantity": self._counted(request.path_params["id"], item)}})

    async def records(self, request: Request) -> Response:
        """Answer with the records of an item, or take one."""
        if request.method == "POST":
            return self._take(await request.body())
        wanted = request.query_params.get("filter[subscription_item_id]")
        return _page(request, "usage-records", self._records_of(wanted))

    def _take(self, body: bytes) -> Response:
        try:
            data = json.loads(body)["data"]
            item = data["relationships"]["subscription-item"]["data"]["id"]
            quantity, action = data["attributes"]["quantity"], data["attributes"].get("action", "increment")
        except (ValueError, KeyError, TypeError):
            return refusal(400)
        if self._held.find("items", item) is None:
            return refusal(404)
        if not isinstance(quantity, int) or quantity < 1 or action not in ("increment", "set"):
            return refusal(422)
        key = str(len(self._held.all("records")) + 1)
        now = clock.now().isoformat()
        record = {"subscription_item_id": int(item), "quantity": quantity, "action": action, "created_at": now}
        self._held.put("records", key, record)
        return _answer({"data": _as_data("usage-records", key, record)}, 201)

    def _records_of(self, item: str | None) -> dict[str, Thing]:
        return {k: v for k, v in self._held.all("records").items() if str(v["subscription_item_id"]) == item}

    def _counted(self, key: str, item: Thing) -> int:
        """Add up the period's records as the price does; a price that sums up adds what was set, too."""
        price = self._held.find("prices", str(item["price_id"])) or {}
        sums = price.get("usage_aggregation") == "sum"
        total = 0
        for record in self._records_of(key).values():
            if record["created_at"] >= item["period_start"]:
                adds = sums or record["action"] == "increment"
                total = total + record["quantity"] if adds else record["quantity"]
        return total


def _page(request: Request, kind: str, things: dict[str, Thing]) -> Response:
    try:
        number, size = (
            int(request.query_params.get(f"page[{of}]", usual)) for of, usual in (("number", 1), ("size", 10))
        )
    except ValueError:
        return refusal(400)
    pages = max(1, -(-len(things) // size))
    shown: list[Any] = [_as_data(kind, key, thing) for key, thing in things.items()][
        (number - 1) * size : number * size
    ]
    meta = {"page": {"currentPage": number, "perPage": size, "lastPage": pages, "total": len(things)}}
    return _answer({"meta": meta, "data": shown})


def app() -> Vendor:
    """Make the server, which has sold nothing."""
    held = Held("subscriptions", "items", "prices", "records")
    shop = Shop(held)
    api = [
        Route("/v1/subscriptions", shop.subscriptions),
        Route("/v1/subscriptions/{id}", shop.subscription, methods=["GET", "DELETE"]),
        Route("/v1/subscription-items", shop.items),
        Route("/v1/subscription-items/{id}/current-usage", shop.usage),
        Route("/v1/prices/{id}", shop.price),
        Route("/v1/usage-records", shop.records, methods=["GET", "POST"]),
    ]
    return Vendor("lemon_squeezy", api, error=refusal, refuse=_check_key, pages=held.pages(), forget=held.clear)


def start(port: int = 0) -> AbstractContextManager[str]:
    """Run it in a thread for a test; yields the base URL."""
    return running(app(), port)


@command("lemon_squeezy")
def main(host: str, port: int) -> None:
    """Speak the used part of Lemon Squeezy's API on this machine, for tests."""
    serve(app(), host, port)


if __name__ == "__main__":
    main()
