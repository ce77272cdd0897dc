"""Is everything well, at a glance."""

from starlette.requests import Request
from starlette.responses import Response

from dashboard.alerts import find
from dashboard.chart import draw
from dashboard.figures import read_figures
from dashboard.site import site
from ledger import clock
from ledger.queries import Span, looking
from ledger.watch import STALE_AFTER


def page(request: Request) -> Response:
    """Show what needs somebody, then the figures."""
    here = site(request)
    now = clock.now()
    span = span_of(request)
    with looking(here.engine) as db:
        figures = read_figures(db, now, span)
    return here.pages.answer(
        request,
        "overview.html",
        part="overview_live.html",
        live=True,
        figures=figures,
        alerts=find(figures),
        chart=draw(figures.pace, span),
        spans=tuple(Span),
        silent_before=now - STALE_AFTER,
    )


def span_of(request: Request) -> Span:
    """Return how far back a page's chart is asked to go: an hour, unless it is said otherwise."""
    asked = request.query_params.get("span")
    return Span(asked) if asked in tuple(Span) else Span.HOUR
