"""A person's browser: signed in or not, watched for all that a page should never do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect
from starlette.applications import Starlette

from dashboard.session import SESSION
from ledger.sessions import Trying, begin, new_secret
from models.operators import Role
from tests.dashboard.people import add

TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`));
"""
PATIENCE = 30_000
"""Milliseconds in which something must have come to be so, on a machine with much else to do."""
expect.set_options(timeout=PATIENCE)


@dataclass
class Person:
    """Somebody in a browser of their own: its pages, and what it complained of."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note what pages say on the console, what scripts throw, and what asks for another machine."""
        self.context.add_init_script(TELL_VIOLATIONS)
        self.context.on("console", self._told)
        self.context.on("weberror", lambda error: self.complaints.append(f"thrown: {error.error}"))
        self.context.on("dialog", self._asked)

    def post(self, path: str, fields: dict[str, str]) -> tuple[int, str]:
        """Send a request from inside the page, with its cookies, as a script of an attacker's choice would."""
        status, text = self.page.evaluate(
            """async ([path, fields]) => {
              const answer = await fetch(path, {method: "POST", body: new URLSearchParams(fields), redirect: "manual"});
              return [answer.status, await answer.text()];
            }""",
            [path, fields],
        )
        return status, text

    def _told(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@contextmanager
def somebody(chromium: Browser, here: str, **more: Any) -> Iterator[Person]:
    """Lend a fresh browser, nobody's yet."""
    context = chromium.new_context(base_url=here, **{"reduced_motion": "reduce", **more})
    context.set_default_timeout(PATIENCE)
    person = Person(context, context.new_page())
    person.watch()
    try:
        yield person
    finally:
        context.close()


@contextmanager
def signed_in(
    chromium: Browser, app: Starlette, here: str, name: str = "kim", role: Role = Role.ADMIN, **more: Any
) -> Iterator[Person]:
    """Lend the browser of a new operator."""
    with somebody(chromium, here, **more) as person:
        enter(app, person, here, add(app, name, role))
        yield person


def enter(app: Starlette, person: Person, here: str, operator_id: Any) -> None:
    """Give a browser a session, without asking for the password."""
    secret = new_secret()
    site = app.state.site
    with site.acting.begin() as db:
        begin(db, operator_id, secret, None, Trying("", ""))
    signed = site.sessions._signer(SESSION).sign(secret).decode()
    person.context.add_cookies([{"name": SESSION, "value": signed, "url": here}])
