"""Whose a request is: its key says, and nothing else of it."""

from http import HTTPStatus

from sqlalchemy import Engine, text
from starlette.requests import Request

from dashboard.api.pace import STATE, Pace
from dashboard.api.problem import Problem
from ledger.keys import Key, read_key
from models.keys import Scope

LOOK_UP = text("SELECT scopes, standing, burst, remaining, wait, per_minute FROM ledger.api_key_v1(:id, :digest)")
REALM = 'Bearer realm="Nexara jobs"'


def admit(engine: Engine, request: Request, scope: Scope) -> Key:
    """Return the key of a request, and count the request.

    Raises Problem 401 without a living one, 429 if it has sent too many, 403 if it may not do this.
    """
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if not given:
        raise unauthorized("no-key", "Send a key of your business in the header: Authorization: Bearer nxk_…")
    key = read_key(given.strip()) if scheme.lower() == "bearer" else None
    if key is None:
        raise unauthorized("unknown-key", "That is no key of this API: they look like nxk_…, and are sent as Bearer.")
    with engine.begin() as db:
        known = db.execute(LOOK_UP, key.values).one_or_none()
    if known is None:
        raise unauthorized("unknown-key", "Nobody has this key: check that it was copied whole.")
    if known.standing != "living":
        raise unauthorized(f"{known.standing}-key", f"This key is {known.standing}: use the one that replaced it.")
    pace = Pace(known.burst, known.remaining, known.wait, known.per_minute)
    setattr(request.state, STATE, pace)
    pace.check()
    if scope not in known.scopes:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "scope",
            f"This key lacks the scope {scope}: use one that was created with it.",
            headers={"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{scope}"'},
        )
    return key


def unauthorized(code: str, detail: str) -> Problem:
    """Return the problem of a request without a living key."""
    told = REALM if code == "no-key" else f'{REALM}, error="invalid_token"'
    return Problem(HTTPStatus.UNAUTHORIZED, code, detail, headers={"WWW-Authenticate": told})
