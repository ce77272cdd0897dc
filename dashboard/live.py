"""A page that keeps itself up to date: the part of it that changes is asked for again, alone, every few seconds."""

from markupsafe import Markup
from starlette.requests import Request

EVERY = 5
"""Seconds between two looks."""
ENOUGH = 286
"""The status with which htmx is told to ask no more."""


def asks_for_part(request: Request) -> bool:
    """Whether a page of ours asks for its changing part, and not a reader for the page."""
    return request.headers.get("hx-request") == "true" and "hx-history-restore-request" not in request.headers


def paused(request: Request) -> bool:
    """Whether the reader stopped the page."""
    return request.query_params.get("live") == "off"


def attributes(here: str, *, live: bool) -> Markup:
    """Return the attributes of the element that holds the changing part of the page at an address."""
    if not live:
        return Markup('id="live"')
    return Markup('id="live" hx-get="{}" hx-trigger="every {}s, look" hx-swap="morph:innerHTML" hx-ext="morph"').format(
        here, EVERY
    )
