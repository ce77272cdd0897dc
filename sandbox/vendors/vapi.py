"""A local server that speaks the part of Vapi's API by which calls are fetched, deleted and listed.

For the demo and for tests only: production never imports it, and every answer says `x-sandbox: true`.
"""

import json
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.vendors.copies import Copies, Copy
from sandbox.vendors.running import command, running, serve
from sandbox.vendors.serving import Vendor, is_sandbox_key

ERRORS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    429: "Too Many Requests",
    500: "Internal Server Error",
}
DOWNLOAD = "/download/"
NUMBER = "/phone-number/"
BULK_TAKES = 1.0
"""Seconds in which a bulk deletion comes to a call that says nothing else; at Vapi hours."""


def refusal(status: int, message: str | None = None) -> JSONResponse:
    """Return an error as Vapi words it."""
    error = ERRORS.get(status, ERRORS[500])
    return JSONResponse({"message": message or error, "error": error, "statusCode": status}, status)


def _check_key(request: Request) -> JSONResponse | None:
    if request.url.path.startswith(DOWNLOAD):
        return None  # the link is the permission
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return None if scheme.lower() == "bearer" and is_sandbox_key(key) else refusal(401)


class Api:
    """The calls of an organization."""

    def __init__(self, copies: Copies) -> None:
        self._copies = copies

    async def show(self, request: Request) -> Response:
        """Answer with a call, or a number."""
        copy = self._copies.find(_what(request), request.path_params["ref"])
        if copy is None:
            return refusal(404, "Call not found")
        return JSONResponse(_shown(copy, str(request.base_url)))

    async def delete(self, request: Request) -> Response:
        """Delete the call or number of the path, or by and by the calls that the body names."""
        body = await request.body()
        ids = json.loads(body).get("ids") if body else None
        if ids:
            for each in filter(None, (self._copies.find("call", ref) for ref in ids)):
                self._copies.delete(each, takes=BULK_TAKES)
            return JSONResponse({"ids": ids}, 202)
        copy = self._copies.find(_what(request), request.path_params["ref"])
        if copy is None:
            return refusal(404, "Call not found")
        return JSONResponse(_shown(copy, str(request.base_url)), self._copies.delete(copy))

    async def calls(self, request: Request) -> Response:
        """Answer with calls, the newest first."""
        query = request.query_params
        bounds = {name: datetime.fromisoformat(query[name]) for name in query if name.startswith("createdAt")}
        found = [copy for copy in reversed(self._copies.of("call")) if _is_within(copy.at, bounds)]
        page = found[: int(query.get("limit", "100"))]
        return JSONResponse([_shown(copy, str(request.base_url)) for copy in page])

    async def download(self, request: Request) -> Response:
        """Answer with a call's sound."""
        copy = self._copies.find("call", request.path_params["ref"])
        return Response(copy.audio, media_type="audio/wav") if copy else Response(status_code=404)


def _what(request: Request) -> str:
    return "number" if request.url.path.startswith(NUMBER) else "call"


def _is_within(at: datetime, bounds: dict[str, datetime]) -> bool:
    return all(
        {"Lt": at < bound, "Le": at <= bound, "Gt": at > bound, "Ge": at >= bound}[name[-2:]]
        for name, bound in bounds.items()
    )


def _shown(copy: Copy, base: str) -> dict[str, Any]:
    link = f"{base}{DOWNLOAD[1:]}{copy.ref}"
    return {
        "id": copy.ref,
        "orgId": "sandbox",
        "type": f"{copy.direction}PhoneCall",
        "status": "ended" if copy.over else "in-progress",
        "createdAt": copy.at.isoformat(),
        "updatedAt": copy.end.isoformat(),
        "startedAt": copy.at.isoformat(),
        "endedAt": copy.end.isoformat() if copy.over else None,
        "phoneCallProvider": "twilio",
        "phoneCallProviderId": f"CA{copy.ref}",
        "customer": {"number": copy.caller},
        "phoneNumber": {"twilioPhoneNumber": copy.line},
        "transcript": copy.text,
        "artifact": {"transcript": copy.text, **({"stereoRecordingUrl": link} if copy.audio else {})},
        "cost": 0.05,
    }


def app() -> Vendor:
    """Make the server, which holds nothing yet."""
    copies = Copies()
    api = Api(copies)
    routes = [
        Route("/call", api.calls),
        Route("/call/{ref}", api.show, methods=["GET"]),
        Route("/call/{ref}", api.delete, methods=["DELETE"]),
        Route(f"{NUMBER}{{ref}}", api.show, methods=["GET"]),
        Route(f"{NUMBER}{{ref}}", api.delete, methods=["DELETE"]),
        Route(f"{DOWNLOAD}{{ref}}", api.download),
    ]
    return Vendor("vapi", routes, error=refusal, refuse=_check_key, pages=copies.pages(), forget=copies.clear)


def start(port: int = 0) -> AbstractContextManager[str]:
    """Run it in a thread for a test; yields the base URL."""
    return running(app(), port)


@command("vapi")
def main(host: str, port: int) -> None:
    """Speak Vapi's API on this machine, for the demo and for tests."""
    serve(app(), host, port)


if __name__ == "__main__":
    main()
