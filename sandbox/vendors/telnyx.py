"""A local server that speaks the part of Telnyx's API by which copies are fetched, deleted and listed.

For the demo and for tests only: production never imports it, and every answer says `x-sandbox: true`.
"""

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
    401: ("10009", "Authentication failed"),
    403: ("10010", "Authorization failed"),
    404: ("10005", "Resource not found"),
    409: ("10007", "Unexpected conflict"),
    422: ("10015", "Invalid parameter"),
    429: ("10011", "Too many requests"),
    500: ("10008", "Internal error"),
}
KINDS = {
    "recordings": "recording",
    "recording_transcriptions": "transcript",
    "conversations": "conversation",
    "phone_numbers": "number",
}
DOWNLOAD = "/download/"
LARGEST_PAGE = 50


def refusal(status: int) -> JSONResponse:
    """Return an error as Telnyx words it."""
    code, title = ERRORS.get(status, ERRORS[500])
    return JSONResponse({"errors": [{"code": code, "title": title, "detail": f"{title}."}]}, status)


def _check_key(request: Request) -> JSONResponse | None:
    if request.url.path.startswith(DOWNLOAD):
        return None  # the link is the permission
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return None if scheme.lower() == "bearer" and is_sandbox_key(key) else refusal(401)


class Api:
    """The resources of an account."""

    def __init__(self, copies: Copies) -> None:
        self._copies = copies

    async def one(self, request: Request) -> Response:
        """Answer with a resource, or delete it."""
        what = KINDS.get(request.path_params.get("kind", "conversations"), "")
        copy = self._copies.find(what, request.path_params["ref"])
        if copy is None:
            return refusal(404)
        status = self._copies.delete(copy) if request.method == "DELETE" else 200
        return JSONResponse({"data": _shown(copy, str(request.base_url))}, status)

    async def recordings(self, request: Request) -> Response:
        """Answer with the first recordings."""
        size = int(request.query_params.get("page[size]", "20"))
        found = [_shown(copy, str(request.base_url)) for copy in self._copies.of("recording")[:size]]
        return JSONResponse({"data": found, "meta": {"page_number": 1, "total_pages": 1}})

    async def download(self, request: Request) -> Response:
        """Answer with a recording's sound."""
        copy = self._copies.find("recording", request.path_params["ref"])
        return Response(copy.audio, media_type="audio/wav") if copy else Response(status_code=404)

    async def records(self, request: Request) -> Response:
        """Answer with one page of calls' records."""
        query = request.query_params
        if query.get("filter[record_type]") != "call-control":
            return refusal(422)
        since, until = (datetime.fromisoformat(query[f"filter[started_at][{name}]"]) for name in ("gte", "lt"))
        size = min(int(query.get("page[size]", "20")), LARGEST_PAGE)
        number = int(query.get("page[number]", "1"))
        found = [copy for copy in self._copies.of("call") if since <= copy.at < until]
        page = found[(number - 1) * size : number * size]
        meta = {
            "page_number": number,
            "page_size": size,
            "total_pages": -(-len(found) // size),
            "total_results": len(found),
        }
        return JSONResponse({"data": [_record(copy) for copy in page], "meta": meta})


def _shown(copy: Copy, base: str) -> dict[str, Any]:
    link = f"{base}{DOWNLOAD[1:]}{copy.ref}"
    return {
        "id": copy.ref,
        "record_type": copy.what,
        "status": "completed" if copy.over else "in-progress",
        "channels": "dual",
        "from": copy.caller,
        "to": copy.line,
        "created_at": copy.at.isoformat(),
        "duration_millis": copy.seconds * 1000,
        "transcription_text": copy.text,
        "download_urls": {"wav": link} if copy.audio else {},
    }


def _record(copy: Copy) -> dict[str, Any]:
    return {
        "record_type": "call-control",
        "id": f"record-{copy.ref}",
        "call_leg_id": copy.ref,
        "direction": copy.direction,
        "cli": copy.caller,
        "cld": copy.line,
        "started_at": copy.at.isoformat(),
        "finished_at": copy.end.isoformat() if copy.over else None,
        "call_sec": copy.seconds if copy.over else None,
        "billed_sec": -(-copy.seconds // 60) * 60 if copy.over else None,
        "cost": "0.0050",
        "currency": "USD",
    }


def app() -> Vendor:
    """Make the server, which holds nothing yet."""
    copies = Copies()
    api = Api(copies)
    both = ["GET", "DELETE"]
    routes = [
        Route("/v2/detail_records", api.records),
        Route("/v2/recordings", api.recordings),
        Route("/v2/ai/conversations/{ref}", api.one, methods=both),
        Route("/v2/{kind}/{ref}", api.one, methods=both),
        Route(f"{DOWNLOAD}{{ref}}", api.download),
    ]
    return Vendor("telnyx", routes, error=refusal, refuse=_check_key, pages=copies.pages(), forget=copies.clear)


def start(port: int = 0) -> AbstractContextManager[str]:
    """Run it in a thread for a test; yields the base URL."""
    return running(app(), port)


@command("telnyx")
def main(host: str, port: int) -> None:
    """Speak Telnyx's API on this machine, for the demo and for tests."""
    serve(app(), host, port)


if __name__ == "__main__":
    main()
