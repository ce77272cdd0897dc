"""What every page is given."""

from dataclasses import dataclass, field

from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.requests import Request

from dashboard.forms import Forms
from dashboard.render import Pages
from ledger.audit import Actor, Right


@dataclass(frozen=True, slots=True)
class Site:
    """The ledger as nexara_dashboard, the templates, and the tokens of forms.

    `engine` is for looking: the database refuses to write on it. `acting` is for dashboard/acting.py alone.
    """

    engine: Engine
    pages: Pages
    forms: Forms
    acting: Engine = field(repr=False)


def site(request: Request) -> Site:
    """Return the site that a request came to."""
    found: Site = request.app.state.site
    return found


def actor(request: Request) -> Actor:
    """Return who is signed in; the guard lets nobody else this far."""
    found: Actor = request.state.actor
    return found


def refuse_without(request: Request, right: Right) -> None:
    """Raise HTTPException unless the role of who is signed in has a right."""
    if not actor(request).may(right):
        raise HTTPException(403, NEEDS[right])


NEEDS = {
    Right.LOOK: "Your role sees nothing here: ask an admin for another.",
    Right.ACT: "Your role is to look, not to act: ask an operator, or an admin for another role. Nothing was changed.",
    Right.SEE_PERSONAL_DATA: "Only a privacy officer sees personal data: ask one, or an admin for another role.",
    Right.MANAGE_OPERATORS: "Only an admin manages operators: ask one. Nothing was changed.",
}
