"""A local server that speaks the part of ElevenLabs' API by which copies are fetched, deleted and listed.

For the demo and for tests only: production never imports it, and every answer says `x-sandbox: true`.
"""

from contextlib import AbstractContextManager
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.vendors.copies import Copies, Copy
from sandbox.vendors.running import command, running, serve
from sandbox.vendors.serving import Vendor, is_sandbox_key

ERRORS = {
    400: "bad_request",
    401: "invalid_api_key",
    403: "missing_permissions",
    404: "document_not_found",
    409: "conflict",
    422: "unprocessable_entity",
    429: "too_many_concurrent_requests",
    500: "internal_error",
}
KINDS = {"conversations": "conversation", "transcripts": "transcript", "history": "speech"}
IDS = {"conversation": "conversation_id", "transcript": "transcription_id", "speech": "history_item_id"}


def refusal(status: int, told: str | None = None) -> JSONResponse:
    """Return an error as ElevenLabs words it."""
    return JSONResponse({"detail": {"status": told or ERRORS.get(status, ERRORS[500]), "message": "No."}}, status)


def _check_key(request: Request) -> JSONResponse | None:
    return None if is_sandbox_key(request.headers.get("xi-api-key", "")) else refusal(401)


class Api:
    """What an account holds."""

    def __init__(self, copies: Copies) -> None:
        self._copies = copies

    async def one(self, request: Request) -> Response:
        """Answer with a copy, or delete it."""
        what = KINDS[request.url.path.split("/")[-2]]
        copy = self._copies.find(what, request.path_params["ref"])
        if copy is None:
            return refusal(404, f"{what}_not_found")
        if request.method == "DELETE":
            return JSONResponse({"status": "ok"}, self._copies.delete(copy))
        return JSONResponse(_shown(copy))

    async def audio(self, request: Request) -> Response:
        """Answer with a conversation's sound."""
        copy = self._copies.find("conversation", request.path_params["ref"])
        if copy is None or not copy.audio:
            return refusal(404, "conversation_not_found")
        return Response(copy.audio, media_type="audio/mpeg")

    async def conversations(self, request: Request) -> Response:
        """Answer with one page of conversations, the newest first."""
        query = request.query_params
        after, before = int(query["call_start_after_unix"]), int(query["call_start_before_unix"])
        size, start = int(query.get("page_size", "30")), int(query.get("cursor", "0"))
        held = reversed(self._copies.of("conversation"))
        found = [copy for copy in held if after < copy.at.timestamp() < before]
        more = len(found) > start + size
        return JSONResponse(
            {
                "conversations": [_shown(copy) for copy in found[start : start + size]],
                "has_more": more,
                "next_cursor": str(start + size) if more else None,
            }
        )


def _shown(copy: Copy) -> dict[str, Any]:
    return {
        IDS[copy.what]: copy.ref,
        "agent_id": "agent_sandbox",
        "status": "done" if copy.over else "in-progress",
        "start_time_unix_secs": int(copy.at.timestamp()),
        "call_duration_secs": copy.seconds,
        "direction": copy.direction,
        "message_count": 2,
        "call_successful": "success",
        "text": copy.text,
        "metadata": {"phone_call": {"external_number": copy.caller, "agent_number": copy.line}},
    }


async def _subscription(request: Request) -> Response:  # noqa: ARG001
    return JSONResponse({"tier": "sandbox", "character_count": 0, "character_limit": 10_000})


def app() -> Vendor:
    """Make the server, which holds nothing yet."""
    copies = Copies()
    api = Api(copies)
    both = ["GET", "DELETE"]
    routes = [
        Route("/v1/convai/conversations", api.conversations),
        Route("/v1/convai/conversations/{ref}", api.one, methods=both),
        Route("/v1/convai/conversations/{ref}/audio", api.audio),
        Route("/v1/speech-to-text/transcripts/{ref}", api.one, methods=both),
        Route("/v1/history/{ref}", api.one, methods=both),
        Route("/v1/user/subscription", _subscription),
    ]
    return Vendor("elevenlabs", routes, error=refusal, refuse=_check_key, pages=copies.pages(), forget=copies.clear)


def start(port: int = 0) -> AbstractContextManager[str]:
    """Run it in a thread for a test; yields the base URL."""
    return running(app(), port)


@command("elevenlabs")
def main(host: str, port: int) -> None:
    """Speak ElevenLabs' API on this machine, for the demo and for tests."""
    serve(app(), host, port)


if __name__ == "__main__":
    main()
