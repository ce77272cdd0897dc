"""Nothing is shown to whom cannot sign in: HTTP Basic, compared in constant time, wrong tries slowed down."""

import base64
import hashlib
import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ledger.audit import Actor
from models.operators import Role

OPEN = frozenset({"/healthz"})
API = "/v1"
"""Where the HTTP API is: it asks for a key of its own, which opens no page, as a password opens nothing of it."""
WRONG_TRIES = 10
"""Wrong passwords a client may try before it must wait."""
PER_SECONDS = 60.0
MOST_CLIENTS = 10_000


class Tries:
    """Counts the wrong tries of each client, in memory and for a minute. Behind a proxy, all are one client."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()

    def must_wait(self, client: str) -> float:
        """Return for how many seconds a client's passwords are not even looked at; 0 if they are."""
        recent = self._recent(client)
        return max(0.0, recent[0] + PER_SECONDS - self._clock()) if len(recent) >= WRONG_TRIES else 0.0

    def note(self, client: str) -> None:
        """Note a wrong try."""
        recent = [*self._recent(client), self._clock()][-WRONG_TRIES:]
        self._wrong[client] = recent
        self._wrong.move_to_end(client)
        while len(self._wrong) > MOST_CLIENTS:
            self._wrong.popitem(last=False)

    def _recent(self, client: str) -> list[float]:
        since = self._clock() - PER_SECONDS
        return [at for at in self._wrong.get(client, []) if at > since]


class Guard:
    """Lets through who signs in as the on-call user, and tells the app who it is."""

    def __init__(self, app: ASGIApp, user: str, password: str, tries: Tries | None = None) -> None:
        self._app = app
        self._user = user
        self._wanted = _digest(f"{user}:{password}".encode())
        self._tries = tries or Tries()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: with the page, 401 or 429."""
        path = scope.get("path", "")
        if scope["type"] == "lifespan" or path in OPEN or path.startswith(f"{API}/"):
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        client = request.client.host if request.client else "unknown"
        given = _credentials(request.headers.get("authorization", ""))
        wait = self._tries.must_wait(client) if given else 0.0
        if wait:
            await _wait(wait)(scope, receive, send)
        elif given and hmac.compare_digest(_digest(given), self._wanted):
            request.state.actor = Actor(self._user, Role.ADMIN)
            request.state.session = self._user
            await self._app(scope, receive, send)
        else:
            if given:
                self._tries.note(client)
            await _sign_in()(scope, receive, send)


def _digest(credentials: bytes) -> bytes:
    """Return what can be compared without telling the length of the password."""
    return hashlib.sha256(credentials).digest()


def _credentials(header: str) -> bytes | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        return b""


def _sign_in() -> PlainTextResponse:
    return PlainTextResponse(
        "Sign in with the user and password that are set where this dashboard runs:"
        " DASHBOARD_USER and DASHBOARD_PASSWORD.\n",
        401,
        {"WWW-Authenticate": 'Basic realm="Nexara on-call", charset="UTF-8"'},
    )


def _wait(seconds: float) -> PlainTextResponse:
    seconds = math.ceil(seconds)
    return PlainTextResponse(
        f"Too many wrong passwords from your address: wait {seconds} s, then sign in again.\n",
        429,
        {"Retry-After": str(seconds)},
    )
