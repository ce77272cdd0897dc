"""Pages for what went wrong: each says what it means and what to do now."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dashboard.headers import harden
from dashboard.site import site
from ledger.queries import BadCursor

TITLES = {
    400: "That cannot be looked up",
    403: "Refused",
    404: "There is nothing here",
    405: "Refused",
    409: "It could not be done",
    413: "Refused",
    500: "The dashboard has a fault of its own",
    503: "The ledger does not answer",
}
SLOW = "57014"
"""SQLSTATE of a statement that ran into the role's time limit."""


def explain(request: Request, status: int, advice: str) -> Response:
    """Answer with an error page."""
    title = TITLES.get(status, "It could not be done")
    return site(request).pages.answer(request, "error.html", status, title=title, advice=advice)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for no other
    advice = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND and advice == "Not Found":
        advice = f"No page has the address {request.url.path}."
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        advice = "That address takes another kind of request: open the job, and act on its page."
    answer = explain(request, error.status_code, advice)
    answer.headers.update(error.headers or {})
    return answer


def _bad_cursor(request: Request, error: Exception) -> Response:
    return explain(request, 400, f"{str(error).capitalize()}. Start again from the list's first page.")


def _database(request: Request, error: Exception) -> Response:
    if getattr(getattr(error, "orig", None), "sqlstate", None) == SLOW:
        return explain(request, 503, "It took PostgreSQL too long. Narrow the filter, or look again in a moment.")
    return explain(
        request,
        503,
        "PostgreSQL could not be reached, or all connections are in use. Jobs already in the ledger are safe there."
        " Look again in a moment; `nexara doctor` says what cannot be reached. If you had pressed a button,"
        " look at the job before you press it again.",
    )


def _fault(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette calls it so
    answer = explain(request, 500, "Its log has the traceback. Jobs go on regardless; `nexara jobs list` still works.")
    harden(MutableHeaders(raw=answer.raw_headers), request.url.scheme)  # it is answered outside the headers' middleware
    return answer


HANDLERS: dict[Any, Callable[[Request, Exception], Response]] = {
    HTTPException: _http,
    BadCursor: _bad_cursor,
    OperationalError: _database,
    PoolTimeout: _database,
    Exception: _fault,
}
