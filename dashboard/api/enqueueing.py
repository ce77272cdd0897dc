"""Enqueue the jobs of one request: all or none, once however often it is sent, for the key's own business."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import psycopg
from sqlalchemy import Engine, TextClause, text
from sqlalchemy.exc import DBAPIError

from dashboard.api.body import Job
from dashboard.api.keys import unauthorized
from dashboard.api.problem import Problem, refused
from ledger.keys import Key
from ledger.transaction import through_restarts

ENQUEUE = text(
    "SELECT job_ids, replayed FROM "
    "ledger.api_enqueue_v1(:id, :digest, CAST(:jobs AS jsonb), CAST(:once AS bytea), :request)"
)
NO_KEY, OTHER_REQUEST, REFUSED = "NX401", "NX409", "22023"
BAD_DATA = "22"
"""The class of SQLSTATEs that say what is wrong with what was given."""
ONCE = re.compile(r"[\x21-\x7e]{1,255}")
FIELD = re.compile(r"(?: lacks |does not know: |, )(?P<name>[a-z][a-z_]{0,40})(?: must be a .*)?")
PLACES = {"unknown kind": "/kind", "jobs of kind": "/kind", "a priority": "/priority", "p_run_at": "/run_at"}


@dataclass(frozen=True, slots=True)
class Enqueued:
    """The ids of a request's jobs in their order; `replayed` if they were enqueued when it was first sent."""

    ids: list[int]
    replayed: bool


def once_of(header: str | None) -> bytes | None:
    """Return what is stored of an Idempotency-Key; raises Problem 400 for one that is none.

    Its digest alone: callers make such keys of what they have at hand, which may be a caller's number.
    """
    if header is None:
        return None
    if not ONCE.fullmatch(header):
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "idempotency-key",
            "An Idempotency-Key is 1 to 255 characters of ASCII without spaces: a new UUID for each request is best.",
        )
    return hashlib.sha256(header.encode()).digest()


def enqueue(engine: Engine, key: Key, jobs: list[Job], *, once: bytes | None, path: str) -> Enqueued:
    """Enqueue jobs in one transaction; raises Problem 401, 409 or 422."""
    told, request = canonical(jobs, path)
    given = {**key.values, "jobs": told, "once": once, "request": request}
    row = asked(engine, ENQUEUE, given, (lambda place: f"#/{place}") if path.endswith("/batch") else (lambda _: "#"))
    return Enqueued(list(row.job_ids), row.replayed)


def canonical(what: Any, path: str) -> tuple[str, bytes]:
    """Return what is asked as JSON, and the digest by which the same request is known again."""
    told = json.dumps(what, sort_keys=True, separators=(",", ":"))
    return told, hashlib.sha256(f"{path}\n{told}".encode()).digest()


def asked(engine: Engine, statement: TextClause, given: Mapping[str, Any], where: Callable[[str], str]) -> Any:
    """Return the row of a function of ours; raises Problem 401, 409 or 422.

    `where` makes a pointer into the body of what a refusal's DETAIL says of its place.
    """

    def transaction() -> Any:
        with engine.begin() as db:
            return db.execute(statement, given).one()

    try:
        # Deadlocks alone are tried again here: after a lost connection, the caller's own key decides.
        return through_restarts(transaction, patience=0)
    except DBAPIError as error:
        problem = _problem(error, where)
        if problem is None:
            raise
        raise problem from None


def _problem(error: DBAPIError, where: Callable[[str], str]) -> Problem | None:
    """Return what a refusal of our SQL functions means; None for what is none."""
    if not isinstance(error.orig, psycopg.Error):
        return None
    state, diagnosis = error.orig.sqlstate or "", error.orig.diag
    if state == NO_KEY:
        return unauthorized("unknown-key", "This key has just ended: use the one that replaced it.")
    if state == OTHER_REQUEST:
        return Problem(
            HTTPStatus.CONFLICT,
            "idempotency-key-reused",
            "This Idempotency-Key was used for another request within the last 24 hours: send a new key with this"
            " request, or the first request again.",
        )
    if state == REFUSED:
        said = diagnosis.message_primary or ""
        hint = f" ({diagnosis.message_hint})" if diagnosis.message_hint else ""
        at = where(diagnosis.message_detail) if diagnosis.message_detail else "#"
        return refused(at + _place(said), said.replace("p_run_at", "run_at") + hint)
    if state.startswith(BAD_DATA):
        # PostgreSQL's own words: they quote.
        return refused("#", "A job holds a value that PostgreSQL cannot store: payloads hold ids, codes, flags, times.")
    return None


def _place(said: str) -> str:
    """Return which field of a job one of our own sentences is about."""
    for words, place in PLACES.items():
        if said.startswith(words):
            return place
    found = FIELD.search(said)
    return f"/payload/{found['name']}" if found else "/payload"
