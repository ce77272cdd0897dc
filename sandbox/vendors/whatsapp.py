"""A local server that speaks WhatsApp's media and analytics, as Meta's Cloud API and as 360dialog's.

For tests only: production never imports it, and every answer says `x-sandbox: true`. Held are `media` (with
`base64` and `mime_type`), `numbers`, and `accounts` with their `data_points`.
"""

import base64
import hashlib
import re
from contextlib import AbstractContextManager

import click
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.vendors.held import Held, Thing
from sandbox.vendors.running import command, running, serve
from sandbox.vendors.serving import Vendor, is_sandbox_key

ERRORS = {
    400: (100, "Invalid parameter"),
    401: (190, "Error validating access token"),
    403: (10, "Application does not have permission for this action"),
    404: (100, "Unsupported request. Object with ID 'x' does not exist, cannot be loaded due to missing permissions"),
    409: (131000, "Something went wrong"),
    429: (4, "Application request limit reached"),
    500: (131000, "Something went wrong"),
    503: (131016, "Service unavailable"),
}
STATUS = {404: 400}
"""Meta says of what is not there that the request was bad."""
FILES = "/whatsapp_business/attachments/"
SPAN = re.compile(r"pricing_analytics\.start\((\d+)\)\.end\((\d+)\)\.granularity\(DAILY\)")


def refusal(status: int) -> JSONResponse:
    """Return an error as Meta words it; 360dialog passes it on."""
    code, message = ERRORS.get(status, ERRORS[500])
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "sandbox"}
    return JSONResponse({"error": error}, STATUS.get(status, status))


def _meta_key(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key if scheme == "Bearer" else ""


def _dialog360_key(request: Request) -> str:
    return request.headers.get("d360-api-key", "")


KEYS = {"meta": _meta_key, "dialog360": _dialog360_key}


class Objects:
    """GET and DELETE of whatever has an id, and the bytes of media."""

    def __init__(self, held: Held) -> None:
        self._held = held

    async def one(self, request: Request) -> Response:
        """Answer with what has this id, or delete it if it is media."""
        key = request.path_params["id"]
        if request.method == "DELETE":
            return JSONResponse({"success": True}) if self._held.delete("media", key) else refusal(404)
        if self._held.find("numbers", key) is not None:
            return JSONResponse({"id": key})
        if (account := self._held.find("accounts", key)) is not None:
            return _analytics(key, account, request.query_params.get("fields", ""))
        media = self._held.find("media", key)
        return refusal(404) if media is None else _described(key, media, str(request.base_url).rstrip("/"))

    async def who(self, request: Request) -> Response:  # noqa: ARG002
        """Answer with the id of whoever has the key."""
        return JSONResponse({"id": "1", "health_status": {"can_send_message": "AVAILABLE", "entities": []}})

    async def file(self, request: Request) -> Response:
        """Answer with the bytes that a link leads to."""
        media = self._held.find("media", request.query_params.get("mid", ""))
        if media is None:
            return refusal(404)
        return Response(base64.b64decode(media["base64"]), media_type=media["mime_type"])


def _described(key: str, media: Thing, here: str) -> JSONResponse:
    data = base64.b64decode(media["base64"])
    return JSONResponse(
        {
            "messaging_product": "whatsapp",
            "id": key,
            "url": f"{here}{FILES}?mid={key}&ext=1&hash=sandbox",
            "mime_type": media["mime_type"],
            "sha256": hashlib.sha256(data).hexdigest(),
            "file_size": len(data),
        }
    )


def _analytics(key: str, account: Thing, fields: str) -> JSONResponse:
    span = SPAN.match(fields)
    if span is None:
        return refusal(400)
    start, end = int(span[1]), int(span[2])
    points = [point for point in account["data_points"] if start <= point["start"] < end]
    return JSONResponse({"pricing_analytics": {"data": [{"data_points": points}]}, "id": key})


def app(name: str) -> Vendor:
    """Make the server of `meta` or of `dialog360`, which holds nothing."""
    held = Held("media", "numbers", "accounts")
    objects = Objects(held)
    # Meta's paths begin with a version, 360dialog's with nothing.
    before, who = ("/{version}", "/me") if name == "meta" else ("", "/health_status")
    api = [
        Route(FILES, objects.file),
        Route(before + who, objects.who),
        Route(before + "/{id}", objects.one, methods=["GET", "DELETE"]),
    ]

    def check_key(request: Request) -> JSONResponse | None:
        return None if is_sandbox_key(KEYS[name](request)) else refusal(401)

    return Vendor(name, api, error=refusal, refuse=check_key, pages=held.pages(), forget=held.clear)


def start(name: str, port: int = 0) -> AbstractContextManager[str]:
    """Run it in a thread for a test; yields the base URL, to which Meta's version is still to be added."""
    return running(app(name), port)


@command("whatsapp", click.option("--through", type=click.Choice(list(KEYS)), default="meta", show_default=True))
def main(host: str, port: int, through: str) -> None:
    """Speak the used part of WhatsApp's API on this machine, for tests."""
    serve(app(through), host, port)


if __name__ == "__main__":
    main()
