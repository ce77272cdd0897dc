"""A local server that speaks the used part of Google's: tokens, their end, and the events of calendars.

For tests only: production never imports it, and every answer says `x-sandbox: true`. Held are `grants` by their
refresh token, and `events` by "grant/calendar/event", so two businesses' primary calendars are two.
"""

from contextlib import AbstractContextManager
from secrets import token_hex

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.vendors.held import Held, Thing
from sandbox.vendors.running import command, running, serve
from sandbox.vendors.serving import Vendor, is_sandbox_key

CALENDAR = "/calendar/v3/"
REASONS = {
    401: ("authError", "Invalid Credentials"),
    403: ("insufficientPermissions", "Insufficient Permission"),
    404: ("notFound", "Not Found"),
    409: ("duplicate", "The requested identifier already exists."),
    410: ("deleted", "Resource has been deleted"),
    429: ("rateLimitExceeded", "Rate Limit Exceeded"),
    500: ("backendError", "Backend Error"),
}
SECONDS = 3599


def refusal(status: int) -> JSONResponse:
    """Return an error as the Calendar API words it."""
    reason, message = REASONS.get(status, REASONS[500])
    errors = [{"domain": "global", "reason": reason, "message": message}]
    return JSONResponse({"error": {"errors": errors, "code": status, "message": message}}, status)


def _token_refusal(code: str, status: int = 400) -> JSONResponse:
    return JSONResponse({"error": code, "error_description": "The sandbox says so."}, status)


class Tokens:
    """POST /token and POST /revoke, and who may pass with what they gave."""

    def __init__(self, held: Held) -> None:
        self._held = held

    def grant(self, request: Request) -> str | None:
        """Return the grant of the request's access token, None if the token is good for nothing."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found = self._held.find("accesses", token)
        return str(found["grant"]) if scheme == "Bearer" and found else None

    def check(self, request: Request) -> JSONResponse | None:
        """Refuse who asks a calendar without a good token."""
        of_calendar = request.url.path.startswith(CALENDAR)
        return refusal(401) if of_calendar and self.grant(request) is None else None

    async def refresh(self, request: Request) -> JSONResponse:
        """Answer with an access token."""
        form = await request.form()
        if not is_sandbox_key(str(form.get("client_secret", ""))) or not form.get("client_id"):
            return _token_refusal("invalid_client", 401)
        if form.get("grant_type") != "refresh_token":
            return _token_refusal("unsupported_grant_type")
        grant = str(form.get("refresh_token", ""))
        if self._held.find("grants", grant) is None:
            return _token_refusal("invalid_grant")
        token = f"sandbox-access-{token_hex(12)}"
        self._held.put("accesses", token, {"grant": grant})
        scope = "https://www.googleapis.com/auth/calendar.events"
        return JSONResponse({"access_token": token, "expires_in": SECONDS, "scope": scope, "token_type": "Bearer"})

    async def revoke(self, request: Request) -> JSONResponse:
        """End a grant, by its refresh token or by one of its access tokens."""
        token = str((await request.form()).get("token", ""))
        access = self._held.find("accesses", token)
        grant = str(access["grant"]) if access else token
        if not self._held.delete("grants", grant):
            return _token_refusal("invalid_token")
        for key, one in self._held.all("accesses").items():
            if one["grant"] == grant:
                self._held.delete("accesses", key)
        return JSONResponse({})


class Events:
    """GET and DELETE of one event; a deleted one stays for a while as an id that is cancelled."""

    def __init__(self, held: Held, tokens: Tokens) -> None:
        self._held, self._tokens = held, tokens

    async def one(self, request: Request) -> Response:
        """Answer with an event, or delete it."""
        event = request.path_params["event"]
        key = f"{self._tokens.grant(request)}/{request.path_params['calendar']}/{event}"
        found = self._held.find("events", key)
        if found is None:
            was: Thing | None = self._held.find("cancelled", key)
            if was is None:
                return refusal(404)
            return refusal(410) if request.method == "DELETE" else JSONResponse({"id": event, "status": "cancelled"})
        if request.method == "GET":
            return JSONResponse({"kind": "calendar#event", "status": "confirmed", **found, "id": event})
        if not self._held.delete("events", key):
            return refusal(410)
        self._held.put("cancelled", key, {})
        return Response(status_code=204)


def app() -> Vendor:
    """Make the server, to which nobody is connected."""
    held = Held("grants", "accesses", "events", "cancelled")
    tokens = Tokens(held)
    events = Events(held, tokens)
    api = [
        Route("/token", tokens.refresh, methods=["POST"]),
        Route("/revoke", tokens.revoke, methods=["POST"]),
        Route(CALENDAR + "calendars/{calendar}/events/{event}", events.one, methods=["GET", "DELETE"]),
    ]
    return Vendor("google", api, error=refusal, refuse=tokens.check, pages=held.pages(), forget=held.clear)


def start(port: int = 0) -> AbstractContextManager[str]:
    """Run it in a thread for a test; yields the base URL of the calendars and of the tokens alike."""
    return running(app(), port)


@command("google")
def main(host: str, port: int) -> None:
    """Speak the used part of Google's APIs on this machine, for tests."""
    serve(app(), host, port)


if __name__ == "__main__":
    main()
