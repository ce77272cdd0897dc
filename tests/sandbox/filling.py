"""Fills a vendor of the sandbox, reads what it still holds, and tells it what to do wrong."""

from typing import Any, TypeVar

import httpx

Client = TypeVar("Client")
OPENED: list[Any] = []


def opened(client: Client) -> Client:
    """Return a client that is closed when its test ends."""
    OPENED.append(client)
    return client


def close_all() -> None:
    while OPENED:
        OPENED.pop().close()


def fill(url: str, lingers: int = 0, **things: Any) -> None:
    httpx.post(f"{url}/_sandbox/held", json={"things": things, "lingers": lingers}).raise_for_status()


def held(url: str) -> Any:
    return httpx.get(f"{url}/_sandbox/held").json()


def wrong(url: str, *faults: dict[str, Any]) -> None:
    httpx.post(f"{url}/_sandbox/faults", json=list(faults)).raise_for_status()


def reset(url: str) -> None:
    httpx.post(f"{url}/_sandbox/reset").raise_for_status()
