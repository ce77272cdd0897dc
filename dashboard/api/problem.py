"""What is answered when something is wrong: RFC 9457, and in each case what to do now; no value is quoted back."""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from ledger.transaction import passing

TYPE = "urn:nexara:problem:"
RETRY_AFTER = 5
"""Seconds after which a database that was away is worth another try."""
log = logging.getLogger(__name__)


class Problem(Exception):
    """A request that is not done; `code` ends the problem's type, `detail` says what to do."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = errors


def refused(pointer: str, detail: str) -> Problem:
    """Return the problem of a body that was understood and is refused; the pointer names the field in it."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "refused", detail, errors=[{"pointer": pointer, "detail": detail}])


def answer(problem: Problem) -> Response:
    """Return a problem as its answer."""
    body: dict[str, Any] = {
        "type": TYPE + problem.code,
        "title": problem.status.phrase,
        "status": int(problem.status),
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = problem.errors
    log.info("api.refused", extra={"code": problem.code})
    return JSONResponse(body, problem.status, problem.headers, media_type="application/problem+json")


def _problem(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette calls it so
    assert isinstance(error, Problem)  # noqa: S101 - it is registered for no other
    return answer(error)


def _http(request: Request, error: Exception) -> Response:  # noqa: ARG001
    assert isinstance(error, HTTPException)  # noqa: S101
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        told = Problem(status, "method", "This address takes another method: see the header Allow.")
    elif status is HTTPStatus.NOT_FOUND:
        told = Problem(status, "address", "There is no such address: /v1/openapi.json lists those that there are.")
    else:
        told = Problem(status, "request", "Send the request as /v1/openapi.json describes it.")
    told.headers.update(error.headers or {})
    return answer(told)


def _database(request: Request, error: Exception) -> Response:
    if isinstance(error, DBAPIError) and not passing(error):
        return _fault(request, error)
    return answer(
        Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "unavailable",
            "The database cannot be reached or is too busy. Send the same request again, with the same"
            " Idempotency-Key: if this one was done after all, it is not done twice.",
            headers={"Retry-After": str(RETRY_AFTER)},
        )
    )


def _gone(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return answer(Problem(HTTPStatus.BAD_REQUEST, "cut-off", "The request ended before its body did: send it again."))


def _fault(request: Request, error: Exception) -> Response:  # noqa: ARG001
    # The values of a statement are in its error's text, so only its type and frames are written down.
    log.error("api.failed", exc_info=error)
    return answer(
        Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "fault",
            "This is a fault of ours, and its log has it. The same request with the same Idempotency-Key may be sent"
            " again; if it fails again, tell us when it did.",
        )
    )


HANDLERS: dict[Any, Callable[[Request, Exception], Response]] = {
    Problem: _problem,
    HTTPException: _http,
    DBAPIError: _database,
    PoolTimeout: _database,
    ClientDisconnect: _gone,
    Exception: _fault,
}
