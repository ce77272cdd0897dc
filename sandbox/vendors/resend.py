"""A local server that speaks Resend's API and delivers nothing: its mails are read in the browser, at `/`.

For the demo and for tests only: production never imports it, and every answer says `x-sandbox: true`.
"""

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ledger import clock
from sandbox.vendors.contacts import Contacts
from sandbox.vendors.held import Held
from sandbox.vendors.inbox import pages
from sandbox.vendors.mailbox import AnotherMail, Mail, Mailbox
from sandbox.vendors.running import command, running, serve
from sandbox.vendors.serving import Vendor, is_sandbox_key

ERRORS = {
    400: ("validation_error", "We found an error with one or more fields in the request."),
    401: ("missing_api_key", "Missing API Key"),
    403: ("invalid_api_key", "API key is invalid"),
    404: ("not_found", "The requested endpoint does not exist."),
    405: ("method_not_allowed", "This endpoint does not support the specified HTTP method."),
    409: ("concurrent_idempotent_requests", "Same idempotency key used while original request is in progress."),
    422: ("validation_error", "We found an error with one or more fields in the request."),
    429: ("rate_limit_exceeded", "Too many requests. You can only make 2 requests per second."),
    451: ("security_error", "We may have found a security issue with the request."),
    500: ("application_error", "An unexpected error occurred."),
}
OTHER_BODY = "This idempotency key has been used on a request that had a different payload."
ADDRESS = re.compile(r"[^<>@\s]+@[^<>@\s]+\.[^<>@\s]+|[^<>]*<[^<>@\s]+@[^<>@\s]+\.[^<>@\s]+>")
BAD_ADDRESS = "Invalid `{}` field. It needs to follow the `email@example.com` or `Name <email@example.com>` format."
TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
MOST_RECIPIENTS, LONGEST_KEY = 50, 256
DOMAIN_ID = "5a9d0b0c-0000-4000-8000-646f6d61696e"


def refusal(status: int, name: str | None = None, message: str | None = None) -> JSONResponse:
    """Return an error as Resend words it."""
    usual = ERRORS.get(status, ERRORS[500])
    body = {"statusCode": status, "name": name or usual[0], "message": message or usual[1]}
    return JSONResponse(body, status)


def _check_key(request: Request) -> JSONResponse | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        return refusal(401)
    return None if is_sandbox_key(key.strip()) else refusal(403)


class Emails:
    """POST /emails and GET /emails/{id}."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def send(self, request: Request) -> JSONResponse:
        """Keep a mail and answer with its id."""
        key = request.headers.get("idempotency-key")
        if key is not None and not 1 <= len(key) <= LONGEST_KEY:
            return refusal(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")
        try:
            content = json.loads(await request.body())
        except ValueError:
            return refusal(400, message="The request body is not valid JSON.")
        if (refused := next(_wrong(content), None)) is not None:
            return refused
        try:
            mail = self._mailbox.take(content, key)
        except AnotherMail:
            return refusal(409, "invalid_idempotent_request", OTHER_BODY)
        return JSONResponse({"id": str(mail.id)})

    async def show(self, request: Request) -> JSONResponse:
        """Answer with a mail."""
        mail = self._mailbox.find(request.path_params["id"])
        return JSONResponse(_shown(mail)) if mail else refusal(404, message="Email not found")


def _wrong(content: Any) -> Iterator[JSONResponse]:
    """Yield what Resend refuses a mail with; nothing for a good one."""
    if not isinstance(content, dict):
        yield refusal(422, message="The request body must be an object.")
        return
    for name in ("from", "to", "subject"):
        if not content.get(name):
            yield refusal(422, "missing_required_field", f"Missing `{name}` field.")
    if not content.get("html") and not content.get("text"):
        yield refusal(422, "missing_required_field", "Missing `html` or `text` field.")
    for name in ("from", "to", "cc", "bcc", "reply_to"):
        yield from _wrong_addresses(name, content.get(name) or [])
    if not isinstance(content.get("headers") or {}, dict):
        yield refusal(422, message="The `headers` field must be an object.")
    if not _are_tags(content.get("tags") or []):
        yield refusal(422, message="Tags should only contain ASCII letters, numbers, underscores, or dashes.")


def _wrong_addresses(name: str, value: Any) -> Iterator[JSONResponse]:
    addresses = [value] if isinstance(value, str) else value
    if not isinstance(addresses, list) or not all(ADDRESS.fullmatch(str(one)) for one in addresses):
        yield refusal(422, message=BAD_ADDRESS.format(name))
    elif len(addresses) > MOST_RECIPIENTS:
        yield refusal(422, message=f"The `{name}` field has more than {MOST_RECIPIENTS} addresses.")


def _are_tags(tags: Any) -> bool:
    return isinstance(tags, list) and all(
        isinstance(tag, dict) and all(TAG.fullmatch(str(tag.get(part, ""))) for part in ("name", "value"))
        for tag in tags
    )


def _shown(mail: Mail) -> dict[str, Any]:
    return {
        "object": "email",
        "id": str(mail.id),
        "to": mail.of("to"),
        "from": mail.content["from"],
        "created_at": mail.at.isoformat(sep=" "),
        "subject": mail.content["subject"],
        "html": mail.content.get("html"),
        "text": mail.content.get("text"),
        "cc": mail.of("cc"),
        "bcc": mail.of("bcc"),
        "reply_to": mail.of("reply_to"),
        "last_event": "delivered",
        "scheduled_at": None,
        "tags": mail.content.get("tags") or [],
    }


async def _domains(request: Request) -> JSONResponse:  # noqa: ARG001
    domain = {
        "id": DOMAIN_ID,
        "name": "sandbox.example",
        "status": "verified",
        "created_at": clock.now().isoformat(sep=" "),
        "region": "us-east-1",
    }
    return JSONResponse({"object": "list", "has_more": False, "data": [domain]})


def app() -> Vendor:
    """Make the server, with an empty inbox."""
    mailbox, held = Mailbox(), Held("contacts")
    emails = Emails(mailbox)
    api = [
        Route("/emails", emails.send, methods=["POST"]),
        Route("/emails/{id}", emails.show),
        Route("/domains", _domains),
        *Contacts(held).routes(),
    ]

    def forget() -> None:
        mailbox.clear()
        held.clear()

    shown = [*held.pages(), *pages(mailbox)]
    return Vendor("resend", api, error=refusal, refuse=_check_key, pages=shown, forget=forget)


def start(port: int = 0) -> AbstractContextManager[str]:
    """Run it in a thread for a test; yields the base URL."""
    return running(app(), port)


@command("resend")
def main(host: str, port: int) -> None:
    """Speak Resend's API on this machine, for the demo and for tests."""
    serve(app(), host, port)


if __name__ == "__main__":
    main()
