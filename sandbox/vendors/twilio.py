"""A local server that speaks the part of Twilio's API by which copies are fetched, deleted and listed.

For the demo and for tests only: production never imports it, and every answer says `x-sandbox: true`.
"""

import base64
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.vendors.copies import Copies, Copy
from sandbox.vendors.running import command, running, serve
from sandbox.vendors.serving import Vendor, is_sandbox_key

ERRORS = {
    401: (20003, "Authenticate"),
    403: (20003, "Permission denied"),
    404: (20404, "The requested resource was not found"),
    409: (20009, "Cannot delete this resource before it is complete"),
    429: (20429, "Too Many Requests"),
    500: (20500, "Internal Server Error"),
}
KINDS = {
    "Recordings": "recording",
    "Calls": "call",
    "Messages": "message",
    "Media": "media",
    "Transcriptions": "transcript",
    "IncomingPhoneNumbers": "number",
}
ACCOUNT = "/2010-04-01/Accounts/{account}"


def refusal(status: int) -> JSONResponse:
    """Return an error as Twilio words it."""
    code, message = ERRORS.get(status, (20001, "Unknown error"))
    more = f"https://www.twilio.com/docs/errors/{code}"
    return JSONResponse({"code": code, "message": message, "more_info": more, "status": status}, status)


def _check_key(request: Request) -> JSONResponse | None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    try:
        key = base64.b64decode(given).decode().partition(":")[0] if scheme.lower() == "basic" else ""
    except ValueError:
        key = ""
    return None if is_sandbox_key(key) else refusal(401)


class Api:
    """The resources of an account."""

    def __init__(self, copies: Copies) -> None:
        self._copies = copies

    async def account(self, request: Request) -> Response:
        """Answer with the account's entry."""
        sid = request.path_params["account"].removesuffix(".json")
        return JSONResponse({"sid": sid, "friendly_name": "Sandbox", "status": "active", "type": "Full"})

    async def one(self, request: Request) -> Response:
        """Answer with a resource or a recording's sound, or delete it."""
        what = KINDS.get(request.path_params.get("kind", "Transcriptions"))
        ref, _, form = request.path_params["name"].partition(".")
        if message := request.path_params.get("message"):
            ref = f"{message}/{ref}"
        copy = self._copies.find(what or "", ref)
        if what is None:
            return refusal(404)
        if copy is None:
            return self._entry_left(what, ref, request) or refusal(404)
        if request.method == "DELETE":
            if not copy.over:
                return refusal(409)
            status = self._copies.delete(copy)
            return Response(status_code=204) if status == 200 else JSONResponse({}, status)  # noqa: PLR2004
        if form == "wav":
            return Response(copy.audio, media_type="audio/x-wav")
        return JSONResponse(_shown(copy))

    async def calls(self, request: Request) -> Response:
        """Answer with one page of calls, the newest first."""
        query = request.query_params
        since, until = (datetime.fromisoformat(query[name]) for name in ("StartTime>", "StartTime<"))
        size, start = int(query.get("PageSize", "50")), int(query.get("Page", "0"))
        found = [copy for copy in reversed(self._copies.of("call")) if since <= copy.at <= until]
        page = found[start * size : (start + 1) * size]
        more = len(found) > (start + 1) * size
        following = urlencode({**query, "Page": str(start + 1), "PageToken": f"PA{start + 1}"})
        return JSONResponse(
            {
                "calls": [_shown(copy) for copy in page],
                "page": start,
                "page_size": size,
                "start": start * size,
                "end": start * size + max(0, len(page) - 1),
                "uri": request.url.path,
                "first_page_uri": request.url.path,
                "next_page_uri": f"{request.url.path}?{following}" if more else None,
                "previous_page_uri": None,
            }
        )

    def _entry_left(self, what: str, ref: str, request: Request) -> Response | None:
        """Answer with the entry of a recording whose sound is gone, where somebody asks for it."""
        at = self._copies.gone_at(what, ref)
        asked = request.query_params.get("IncludeSoftDeleted") == "true"
        if what != "recording" or at is None or not asked or request.method != "GET":
            return None
        return JSONResponse({"sid": ref, "status": "deleted", "channels": 2, "date_updated": _written(at)})


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")


def _shown(copy: Copy) -> dict[str, Any]:
    direction = copy.direction if copy.direction == "inbound" else "outbound-api"
    return {
        "sid": copy.ref.rpartition("/")[2],
        "status": "completed" if copy.over else "in-progress",
        "channels": 2,
        "direction": direction,
        "from": copy.caller,
        "from_formatted": copy.caller,
        "to": copy.line,
        "caller_name": "",
        "start_time": _written(copy.at),
        "end_time": _written(copy.end) if copy.over else None,
        "duration": str(copy.seconds) if copy.over else None,
        "date_created": _written(copy.at),
        "date_updated": _written(copy.end),
        "body": copy.text,
        "price": None,
        "price_unit": "USD",
    }


def app() -> Vendor:
    """Make the server, which holds nothing yet."""
    copies = Copies()
    api = Api(copies)
    both = ["GET", "DELETE"]
    routes = [
        Route(f"{ACCOUNT}/Calls.json", api.calls),
        Route(f"{ACCOUNT}/{{kind}}/{{name}}", api.one, methods=both),
        Route(f"{ACCOUNT}/Messages/{{message}}/{{kind}}/{{name}}", api.one, methods=both),
        Route(ACCOUNT, api.account),
        Route("/v2/Transcripts/{name}", api.one, methods=both),
    ]
    return Vendor("twilio", routes, error=refusal, refuse=_check_key, pages=copies.pages(), forget=copies.clear)


def start(port: int = 0) -> AbstractContextManager[str]:
    """Run it in a thread for a test; yields the base URL."""
    return running(app(), port)


@command("twilio")
def main(host: str, port: int) -> None:
    """Speak Twilio's API on this machine, for the demo and for tests."""
    serve(app(), host, port)


if __name__ == "__main__":
    main()
