"""Is everything well, at a glance."""

from starlette.requests import Request
from starlette.responses import Response

from dashboard.alerts import find
from dashboard.chart import draw
from dashboard.figures import read_figures
from dashboard.site import site
from ledger import clock
from ledger.queries import looking
from ledger.watch import STALE_AFTER


def page(request: Request) -> Response:
    """Show what needs somebody, then the figures."""
    here = site(request)
    now = clock.now()
    with looking(here.engine) as db:
        figures = read_figures(db, now)
    return here.pages.answer(
        request,
        "overview.html",
        live=True,
        figures=figures,
        alerts=find(figures),
        chart=draw(figures.pace),
        silent_before=now - STALE_AFTER,
    )
