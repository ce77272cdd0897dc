"""How the vendors without an SDK are connected to, and how what comes back is read."""

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.bounds import MOST, bounds, connect_within
from providers.quiet import quiet

if TYPE_CHECKING:
    import httpx


def open_client(seconds: float, *, headers: Mapping[str, str] | None = None, most: int = MOST) -> "httpx.Client":
    """Return a client that logs no address and follows none; a reply ends within `seconds` and after `most` bytes."""
    import httpx

    # It logs addresses: ids and people are in ours, and whoever has a recording's may hear it.
    quiet("httpcore", "httpx", above=logging.INFO)
    return httpx.Client(
        headers=headers,
        timeout=httpx.Timeout(seconds, connect=connect_within(seconds)),
        event_hooks=bounds(httpx, seconds, most),
    )


def json_of(content: bytes) -> object:
    """Return the JSON of a body, None where it is none."""
    try:
        return json.loads(content)
    except ValueError:
        return None
