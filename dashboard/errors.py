"""Pages for what went wrong: each says what it means and what to do now."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.headers import harden
from dashboard.render import link
from dashboard.site import ProveAgain, site
from ledger.queries import BadCursor

TITLES = {
    400: "That cannot be looked up",
    401: "You are not signed in",
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


def explain(request: Request, status: int, advice: str, *, prove_again: str | None = None) -> Response:
    """Answer with an error page; `prove_again` is where one goes on after signing in again."""
    title = TITLES.get(status, "It could not be done")
    return site(request).pages.answer(
        request, "error.html", status, title=title, advice=advice, prove_again=prove_again
    )


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


def database_is_away(request: Request, error: Exception) -> Response:
    """Say that the ledger does not answer, and what to do meanwhile."""
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


def _prove_again(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette calls it so
    """Have who is signed in prove it again; a page is gone on to by itself, an action is done again by hand."""
    if request.method in ("GET", "HEAD"):
        return RedirectResponse(link("/sign-in", again=1, next=request.url.path), 303)
    page = request.headers.get("referer", "")
    back = urlsplit(page).path if urlsplit(page).netloc == request.headers.get("host") else "/"
    return explain(
        request,
        403,
        "For this you must have signed in within the last ten minutes, so that nobody does it on a screen that was left"
        " open. Nothing was changed.",
        prove_again=back,
    )


HANDLERS: dict[Any, Callable[[Request, Exception], Response]] = {
    HTTPException: _http,
    BadCursor: _bad_cursor,
    ProveAgain: _prove_again,
    OperationalError: database_is_away,
    PoolTimeout: database_is_away,
    Exception: _fault,
}
