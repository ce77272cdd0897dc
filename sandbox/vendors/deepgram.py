"""A local server that speaks Deepgram's pre-recorded API and really transcribes what it is given.

For the demo and for tests only: production never imports it, and every answer says `x-sandbox: true`.
"""

import hashlib
import ipaddress
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ledger import clock
from sandbox.vendors import recogniser
from sandbox.vendors.audio import Corrupt, decode
from sandbox.vendors.deepgram_answer import Wishes, results
from sandbox.vendors.listening import Canned, Hearing, Listener
from sandbox.vendors.running import command, running, serve
from sandbox.vendors.serving import Vendor, is_sandbox_key

MODEL_ID = "5a9d0b0c-0000-4000-8000-73616e64626f"
FETCH_TIMEOUT = 30.0
LARGEST = 200 * 1024 * 1024

ERRORS = {
    400: ("Bad Request", "Bad Request: failed to process the request."),
    401: ("INVALID_AUTH", "Invalid credentials."),
    402: ("ASR_PAYMENT_REQUIRED", "Project does not have enough credits for an ASR request."),
    403: ("INSUFFICIENT_PERMISSIONS", "User does not have sufficient permissions."),
    404: ("NOT_FOUND", "The requested resource was not found."),
    408: ("SLOW_UPLOAD", "Timed out while waiting for the request's data."),
    413: ("PAYLOAD_TOO_LARGE", "The payload is too large."),
    429: ("TOO_MANY_REQUESTS", "Too many requests. Please try again later."),
    500: ("INTERNAL_SERVER_ERROR", "Internal server error."),
    503: ("SERVICE_UNAVAILABLE", "Please try again later."),
    504: ("GATEWAY_TIMEOUT", "The request took too long to process."),
}
CORRUPT = "Bad Request: failed to process audio: corrupt or unsupported data"
NO_MODEL = "Bad Request: No such model/language/tier combination found."
NO_CALLBACK = "Bad Request: the sandbox does not call back."
MODELS = ("nova", "flux", "enhanced", "base", "whisper", "general")


class Refused(Exception):
    """The request can't be served; holds the answer that says so."""

    def __init__(self, status: int, code: str | None = None, message: str | None = None) -> None:
        super().__init__(status)
        self.answer = refusal(status, code, message)


def refusal(status: int, code: str | None = None, message: str | None = None) -> JSONResponse:
    """Return an error as Deepgram words it."""
    usual = ERRORS.get(status, ERRORS[500])
    return _json({"err_code": code or usual[0], "err_msg": message or usual[1], "request_id": str(uuid4())}, status)


def _json(body: dict[str, Any], status: int = 200) -> JSONResponse:
    request_id = body.get("request_id") or body.get("metadata", {}).get("request_id") or str(uuid4())
    return JSONResponse(body, status, {"dg-request-id": request_id})


def _check_key(request: Request) -> JSONResponse | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    good = scheme.lower() in {"token", "bearer"} and is_sandbox_key(key.strip())
    return None if good else refusal(401)


async def _projects(request: Request) -> JSONResponse:  # noqa: ARG001
    return _json({"projects": [{"project_id": MODEL_ID, "name": "sandbox"}]})


class Listen:
    """POST /v1/listen."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    async def answer(self, request: Request) -> JSONResponse:
        """Answer with what is said in the recording, or as Deepgram does when it can't."""
        try:
            wishes = _wishes(request)
            data = await _recording(request)
            return await run_in_threadpool(self._transcribe, data, wishes, request.query_params.get("model", "base"))
        except Refused as refused:
            return refused.answer

    def _transcribe(self, data: bytes, wishes: Wishes, model: str) -> JSONResponse:
        try:
            audio = decode(data)
        except Corrupt:
            raise Refused(400, message=CORRUPT) from None
        audio = audio if wishes.multichannel else audio.mixed()
        sha256 = hashlib.sha256(data).hexdigest()
        heard = self._listener.listen(sha256, audio)
        metadata = {
            "transaction_key": "deprecated",
            "request_id": str(uuid4()),
            "sha256": sha256,
            "created": clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            "duration": round(audio.seconds, 6),
            "channels": len(audio.channels),
            "models": [MODEL_ID],
            "model_info": {MODEL_ID: {"name": self._listener.name, "version": "sandbox", "arch": model}},
        }
        return _json({"metadata": metadata, "results": results(heard, wishes)})


def _wishes(request: Request) -> Wishes:
    query = request.query_params
    if not query.get("model", "base").startswith(MODELS):
        raise Refused(400, message=NO_MODEL)
    if "callback" in query:
        raise Refused(400, message=NO_CALLBACK)
    try:
        return Wishes.of(query)
    except ValueError:
        raise Refused(400) from None


async def _recording(request: Request) -> bytes:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return await request.body()
    try:
        url = (await request.json())["url"]
    except (ValueError, KeyError, TypeError):
        raise Refused(400, message="Bad Request: the request body must name a url.") from None
    return await _fetched(httpx.URL(str(url)))


async def _fetched(url: httpx.URL) -> bytes:
    if not _is_loopback(url.host):
        raise Refused(400, "REMOTE_CONTENT_ERROR", "The sandbox fetches from this machine alone.")
    try:
        # No proxy of the environment: the recording must not leave this machine.
        async with httpx.AsyncClient(trust_env=False, timeout=FETCH_TIMEOUT) as client:
            response = await client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL):
        raise Refused(
            400, "REMOTE_CONTENT_ERROR", "The remote server hosting the media could not be reached."
        ) from None
    if response.status_code != httpx.codes.OK:
        raise Refused(
            400,
            "REMOTE_CONTENT_ERROR",
            "The remote server hosting the media returned a client error: "
            f"{response.status_code} {response.reason_phrase}.",
        )
    if len(response.content) > LARGEST:
        raise Refused(413)
    return response.content


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def app(listener: Listener) -> Vendor:
    """Make the server, with this to listen for it."""
    api = [Route("/v1/listen", Listen(listener).answer, methods=["POST"]), Route("/v1/projects", _projects)]
    return Vendor("deepgram", api, error=refusal, refuse=_check_key)


def _listener(canned: Path | Mapping[str, Any] | None, which: str) -> Listener:
    if canned is None:
        return Hearing(recogniser.load(which))
    return Canned.read(canned) if isinstance(canned, Path) else Canned.of(canned)


def start(
    port: int = 0, *, canned: Path | Mapping[str, Any] | None = None, recogniser: str = "auto"
) -> AbstractContextManager[str]:
    """Run it in a thread for a test; yields the base URL. `canned` takes what `--canned` reads."""
    return running(app(_listener(canned, recogniser)), port)


@command(
    "deepgram",
    click.option(
        "--canned",
        type=click.Path(exists=True, path_type=Path),
        help="Scripts by sha256, no model.",
    ),
    click.option("--recogniser", type=click.Choice(["auto", "whisper", "pocketsphinx"]), default="auto"),
)
def main(host: str, port: int, canned: Path | None, recogniser: str) -> None:
    """Speak Deepgram's API on this machine, for the demo and for tests."""
    serve(app(_listener(canned, recogniser)), host, port)


if __name__ == "__main__":
    main()
