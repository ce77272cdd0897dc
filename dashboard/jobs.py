"""The list of jobs: its filter and page are its address, so that what one sees can be sent to another."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.figures import FINISHED_WITHIN
from dashboard.render import link
from dashboard.site import site
from dashboard.telling import may_cancel, may_retry
from ledger import clock
from ledger.queries import count_beside, count_states, list_jobs, looking, read_kinds
from ledger.queries.filters import kept, read
from models.ledger import FINISHED

PLACES = ("after", "before")


def page(request: Request) -> Response:
    """Show the jobs of a filter, one page of them."""
    here = site(request)
    query = request.query_params
    if any(value == "" for value in query.values()):  # a form sends its empty fields too
        return RedirectResponse(link("/jobs", **kept(query)))
    asked = read(query)
    paged = any(query.get(place) for place in PLACES)
    with looking(here.engine) as db:
        kinds = read_kinds(db)
        counts = count_states(db, clock.now() - FINISHED_WITHIN)
        listed = found = None
        if not asked.wrong:
            listed = list_jobs(db, asked.wanted, after=query.get("after"), before=query.get("before"))
            if asked.given and not asked.wanted.only_a_state and (paged or listed.next):
                found = count_beside(db, asked.wanted, listed, first=not paged)
    return here.pages.answer(
        request,
        "jobs.html",
        status=400 if asked.wrong else 200,
        part="jobs_live.html",
        live=not paged and not asked.wrong,
        typed_into=True,
        kinds=kinds,
        queues=sorted({kind.queue for kind in kinds}),
        counts=counts,
        finished=FINISHED,
        asked=asked,
        listed=listed,
        found=found,
        paged=paged,
        may_retry=may_retry,
        may_cancel=may_cancel,
    )
