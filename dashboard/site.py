"""What every page is given."""

from dataclasses import dataclass

from sqlalchemy import Engine
from starlette.requests import Request

from dashboard.forms import Forms
from dashboard.render import Pages


@dataclass(frozen=True, slots=True)
class Site:
    """The ledger as nexara_dashboard, the templates, and the tokens of forms."""

    engine: Engine
    pages: Pages
    forms: Forms


def site(request: Request) -> Site:
    """Return the site that a request came to."""
    found: Site = request.app.state.site
    return found


def operator(request: Request) -> str:
    """Return who is signed in; the guard lets nobody else this far."""
    name: str = request.state.operator
    return name
