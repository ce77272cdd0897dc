"""What there is to run: the kinds of jobs, and the timetable."""

from starlette.requests import Request
from starlette.responses import Response

from dashboard import timetable
from dashboard.site import site
from ledger import clock
from ledger.queries import looking, read_kinds, read_ticks

TICKS_SHOWN = 10


def kinds(request: Request) -> Response:
    """Show the kinds of jobs with their terms and payloads."""
    here = site(request)
    with looking(here.engine) as db:
        known = read_kinds(db)
    return here.pages.answer(request, "kinds.html", kinds=known)


def schedules(request: Request) -> Response:
    """Show the timetable with its latest ticks."""
    here = site(request)
    with looking(here.engine) as db:
        ticks = read_ticks(db, timetable.names(), TICKS_SHOWN)
    return here.pages.answer(request, "schedules.html", entries=timetable.entries(ticks, clock.now()))
