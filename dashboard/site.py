"""What every page is given."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.requests import Request

from dashboard.forms import Forms
from dashboard.oidc import Oidc
from dashboard.render import Pages
from dashboard.session import Sessions
from ledger import clock
from ledger.audit import Actor, Right


@dataclass(frozen=True, slots=True)
class Site:
    """The ledger as nexara_dashboard, the templates, the tokens of forms, and who is signed in.

    `engine` is for looking: the database refuses to write on it. `acting` is for dashboard/acting.py alone.
    """

    engine: Engine
    pages: Pages
    forms: Forms
    sessions: Sessions
    acting: Engine = field(repr=False)
    oidc: Oidc | None = None


def site(request: Request) -> Site:
    """Return the site that a request came to."""
    found: Site = request.app.state.site
    return found


def actor(request: Request) -> Actor:
    """Return who is signed in; the guard lets nobody else this far."""
    found: Actor = request.state.actor
    return found


def may(request: Request, right: Right) -> bool:
    """Whether who is signed in has a right: for what a page shows. An action asks again, in its transaction."""
    return actor(request).may(right)


def refuse_without(actor: Actor, right: Right) -> None:
    """Raise HTTPException unless somebody's role has a right."""
    if not actor.may(right):
        raise HTTPException(403, NEEDS[right])


def refuse_stale(proved_at: datetime) -> None:
    """Raise ProveAgain unless somebody proved who they are in the last minutes."""
    if not is_fresh(proved_at):
        raise ProveAgain


def is_fresh(proved_at: datetime) -> bool:
    """Whether somebody proved who they are in the last minutes."""
    return clock.now() - proved_at <= FRESH_FOR


class ProveAgain(Exception):
    """What was asked for needs a sign-in of the last minutes."""


FRESH_FOR = timedelta(minutes=10)
NEEDS = {
    Right.LOOK: "Your role sees nothing here: ask an admin for another.",
    Right.ACT: "Your role is to look, not to act: ask an operator, or an admin for another role. Nothing was changed.",
    Right.SEE_PERSONAL_DATA: "Only a privacy officer sees personal data: ask one, or an admin for another role.",
    Right.MANAGE_PRIVACY: "Only a privacy officer erases and answers requests: ask one. Nothing was changed.",
    Right.MANAGE_OPERATORS: "Only an admin manages operators: ask one. Nothing was changed.",
}
