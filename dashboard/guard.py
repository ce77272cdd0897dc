"""Nothing is shown to whom is not signed in: every address is closed, but for those that are named here."""

from urllib.parse import quote, urlsplit

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.errors import database_is_away, explain
from dashboard.session import Sessions, key_of
from ledger.sessions import SignedIn, digest_of

SIGN_IN = "/sign-in"
API = "/v1"
"""Where the HTTP API is: it asks for a key of its own, which opens no page, as a session opens nothing of it."""
OPEN = ("/healthz", "/static/", f"{API}/")
READS = ("GET", "HEAD")


class Guard:
    """Lets through who is signed in, and tells the app who it is."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: with the page, with the way to sign in, or 401."""
        path = scope.get("path", "")
        if scope["type"] == "lifespan" or path == OPEN[0] or path.startswith(OPEN[1:]):
            await self._app(scope, receive, send)
            return
        answer: ASGIApp = self._app
        try:
            found = await run_in_threadpool(self._look, HTTPConnection(scope))
        except (OperationalError, PoolTimeout) as error:
            answer = database_is_away(Request(scope), error)
        else:
            if not found and not (path == SIGN_IN or path.startswith(f"{SIGN_IN}/")):
                answer = _closed(scope)
        await answer(scope, receive, send)

    def _look(self, request: HTTPConnection) -> SignedIn | None:
        secret = self._sessions.read(request)
        signed_in = self._sessions.who(secret, asked=_asked(request)) if secret else None
        if secret and signed_in:
            request.state.actor = signed_in.actor
            request.state.proved_at = signed_in.proved_at
            request.state.session = key_of(secret)
            request.state.digest = digest_of(secret)
        return signed_in


def _asked(request: HTTPConnection) -> bool:
    """Whether a person asked, and not a page that looks again by itself: that keeps no session alive."""
    given = request.headers
    by_itself = "hx-request" in given and "hx-boosted" not in given
    return not (by_itself and request.scope.get("method") == "GET")


def _closed(scope: Scope) -> Response:
    if scope["type"] != "http":
        return PlainTextResponse("Sign in first.\n", 401)
    request = Request(scope)
    if "hx-request" in request.headers:
        # A part of a page: the whole page goes to sign in, and comes back to where it was.
        page = urlsplit(request.headers.get("hx-current-url", ""))
        return Response(status_code=401, headers={"HX-Redirect": _way(page.path, page.query)})
    if request.method in READS:
        return RedirectResponse(_way(request.url.path, request.url.query), 303)
    return explain(request, 401, "You are not signed in, or no more. Nothing was changed: sign in, then do it again.")


def _way(path: str, query: str) -> str:
    back = f"{path}?{query}" if query else path
    return f"{SIGN_IN}?next={quote(back, safe='/')}" if back not in ("", "/") else SIGN_IN
