"""The pages on which the sandbox's mails are read."""

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.templating import Jinja2Templates

from sandbox.vendors.mailbox import Mail, Mailbox

TEMPLATES = Path(__file__).with_name("pages")
# A mail is somebody else's text: it may bring its own style and nothing that runs or is fetched.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; base-uri 'none'"
HEADERS = {"content-security-policy": POLICY, "cache-control": "no-store", "referrer-policy": "no-referrer"}
EXCERPT = 140


class Inbox:
    """The list of mails, one mail, and all of them as JSON for a program."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._templates = Jinja2Templates(directory=TEMPLATES)

    async def list(self, request: Request) -> Response:
        """Show all mails, newest first."""
        mails = [{"mail": mail, "excerpt": _excerpt(mail)} for mail in self._mailbox.newest_first()]
        return self._templates.TemplateResponse(request, "inbox.html", {"mails": mails}, headers=HEADERS)

    async def show(self, request: Request) -> Response:
        """Show one mail."""
        mail = self._mailbox.find(request.path_params["id"])
        if mail is None:
            return self._templates.TemplateResponse(request, "gone.html", {}, status_code=404, headers=HEADERS)
        return self._templates.TemplateResponse(request, "mail.html", {"mail": mail}, headers=HEADERS)

    async def json(self, request: Request) -> JSONResponse:  # noqa: ARG002
        """Answer with all mails, newest first."""
        return JSONResponse([_plain(mail) for mail in self._mailbox.newest_first()])


def _excerpt(mail: Mail) -> str:
    words = " ".join(str(mail.content.get("text") or "").split())
    return words if len(words) <= EXCERPT else words[: EXCERPT - 1] + "\u2026"


def _plain(mail: Mail) -> dict[str, Any]:
    return {
        **mail.content,
        "id": str(mail.id),
        "created_at": mail.at.isoformat(),
        "idempotency_key": mail.key,
        "repeats": mail.repeats,
    }


def pages(mailbox: Mailbox) -> list[BaseRoute]:
    """Return the routes of the inbox."""
    inbox = Inbox(mailbox)
    return [
        Route("/", inbox.list),
        Route("/inbox/{id}", inbox.show),
        Route("/inbox.json", inbox.json),
    ]
