"""The timetable: when each schedule is due, what came of its ticks, and having one run now."""

from uuid import UUID

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard import timetable
from dashboard.acting import Acting, action
from dashboard.render import link
from dashboard.site import site
from ledger import clock
from ledger.audit import Right
from ledger.enqueue import enqueue
from ledger.queries import looking, read_ticks
from schedules.table import TIMETABLE, Schedule

HOUSE = UUID(int=0)
TICKS_SHOWN = 8
HISTORY = 200


def page(request: Request) -> Response:
    """Show the timetable with its latest ticks."""
    here = site(request)
    with looking(here.engine) as db:
        ticks = read_ticks(db, timetable.names(), TICKS_SHOWN)
    return here.pages.answer(
        request,
        "schedules.html",
        part="schedules_live.html",
        live=True,
        entries=timetable.entries(ticks, clock.now()),
    )


def one(request: Request) -> Response:
    """Show one schedule and the history of its ticks."""
    here = site(request)
    schedule = _schedule(request)
    with looking(here.engine) as db:
        ticks = read_ticks(db, [schedule.name], HISTORY)
    (entry,) = (e for e in timetable.entries(ticks, clock.now()) if e.schedule is schedule)
    return here.pages.answer(request, "schedule.html", entry=entry)


@action("schedules.run", Right.ACT)
def run_now(act: Acting) -> Response:
    """Enqueue a schedule's job at once; its own ticks come as they would have."""
    schedule = _schedule(act.request)
    payload = schedule.payload(clock.now())
    with Session(act.db) as db:
        job_id = enqueue(db, payload, business_id=HOUSE)
    act.record(about={"schedule": schedule.name, "kind": payload.kind}, jobs=[job_id])
    return RedirectResponse(link(f"/jobs/{job_id}", done="enqueue"), 303)


def _schedule(request: Request) -> Schedule:
    name = request.path_params["name"]
    found = next((schedule for schedule in TIMETABLE if schedule.name == name), None)
    if found is None:
        raise HTTPException(404, f"There is no schedule {name}. Those that there are stand on the page of schedules.")
    return found
