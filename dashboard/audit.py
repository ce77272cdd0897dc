"""The audit: what people did by hand, why, and what it changed."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.render import link
from dashboard.site import site
from ledger import moments
from ledger.queries import AuditFilter, list_audit, looking
from ledger.queries.filters import kept
from ledger.queries.walk import LARGEST

WORDS = re.compile(r"[a-z0-9_.]{1,100}")
FIELDS = ("who", "action", "job", "since", "until")
EXPECTED = {
    "who": "A name is at most 100 characters.",
    "action": "An action is words with a dot, such as jobs.retry; with a dot at its end, all that begin so.",
    "job": "A job is a number.",
    "since": "A time in UTC, such as 2026-05-04T12:30.",
    "until": "A time in UTC, such as 2026-05-04T12:30.",
}
ACTIONS = ("jobs.", "operations.", "pauses.", "keys.", "operators.", "privacy.")
"""What is offered to choose from; any other can be typed into the address."""


def page(request: Request) -> Response:
    """Show the actions of a filter, one page of them."""
    here, query = site(request), request.query_params
    if any(value == "" for value in query.values()):  # a form sends its empty fields too
        return RedirectResponse(link("/audit", **kept(query, FIELDS)))
    given, wanted, wrong = read(query)
    listed = None
    if not wrong:
        with looking(here.engine) as db:
            listed = list_audit(db, wanted, after=query.get("after"), before=query.get("before"))
    return here.pages.answer(
        request,
        "audit.html",
        400 if wrong else 200,
        given=given,
        wrong=wrong,
        listed=listed,
        actions=ACTIONS,
    )


def read(query: Mapping[str, str]) -> tuple[dict[str, str], AuditFilter, dict[str, str]]:
    """Read the filter of an address: what stands there, what it means, and what is wrong with it by field."""
    given = {name: query[name].strip() for name in FIELDS if query.get(name, "").strip()}
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, value in given.items():
        try:
            values[name] = READ[name](value)
        except ValueError:
            wrong[name] = EXPECTED[name]
    return given, AuditFilter(**values), wrong


def _who(value: str) -> str:
    if len(value) > 100 or not value.isprintable():  # noqa: PLR2004 - as the column has it
        raise ValueError("no name")
    return value


def _action(value: str) -> str:
    if not WORDS.fullmatch(value):
        raise ValueError("no action")
    return value


def _job(value: str) -> int:
    if not value.isascii() or not value.isdecimal() or int(value) > LARGEST:
        raise ValueError("no id")
    return int(value)


READ: dict[str, Callable[[str], Any]] = {
    "who": _who,
    "action": _action,
    "job": _job,
    "since": moments.read,
    "until": moments.read,
}
