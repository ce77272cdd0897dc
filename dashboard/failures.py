"""What fails, by what failed alike; and one such failure with its jobs."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.render import link
from dashboard.site import site
from ledger import clock
from ledger.queries import list_jobs, looking, read_kinds, read_story
from ledger.queries.failed import group_failed, read_failed, read_hours
from ledger.queries.failures import last_alike
from ledger.queries.filters import NAME, Given, kept, read
from models.ledger import FAILED

FIELDS = ("kind", "state", "business", "since", "until")
PLACES = ("after", "before")


def page(request: Request) -> Response:
    """Show the groups of a filter, the largest first."""
    here = site(request)
    if any(value == "" for value in request.query_params.values()):  # a form sends its empty fields too
        return RedirectResponse(link("/failures", **_kept(request)))
    asked = _asked(request)
    with looking(here.engine) as db:
        kinds = read_kinds(db)
        groups = () if asked.wrong else group_failed(db, asked.wanted)
    return here.pages.answer(
        request,
        "failures.html",
        400 if asked.wrong else 200,
        part="failures_live.html",
        live=not asked.wrong,
        typed_into=True,
        kinds=kinds,
        states=FAILED,
        asked=asked,
        groups=groups,
    )


def one(request: Request) -> Response:
    """Show one failure: how often, since when, whose, a sample, and a page of its jobs."""
    here = site(request)
    fingerprint = request.path_params["fingerprint"]
    asked = _asked(request, failing=fingerprint)
    if not NAME.fullmatch(fingerprint):
        raise HTTPException(404, "There is no such failure: the list of failures links to those that there are.")
    query = request.query_params
    paged = any(query.get(place) for place in PLACES)
    with looking(here.engine) as db:
        group = read_failed(db, fingerprint)
        last = last_alike(db, fingerprint)
        if group is None and last is None:
            raise HTTPException(
                404, "Nothing has failed so, or it is forgotten: failed attempts are forgotten after 30 days."
            )
        hours = read_hours(db, fingerprint, clock.now())
        listed = None
        if not asked.wrong:
            listed = list_jobs(db, asked.wanted, after=query.get("after"), before=query.get("before"))
        sample = None if last is None else read_story(db, group.sample if group else last.job_id)
    return here.pages.answer(
        request,
        "failure.html",
        400 if asked.wrong else 200,
        part="failure_live.html",
        live=not paged and not asked.wrong,
        fingerprint=fingerprint,
        group=group,
        last=last,
        hours=hours,
        listed=listed,
        sample=sample,
        failed_so=[] if sample is None else [a for a in sample.attempts if a.fingerprint == fingerprint],
        asked=asked,
        states_of_failure=FAILED,
        kept={name: value for name, value in asked.given.items() if name != "failing"},
        paged=paged,
    )


def _kept(request: Request) -> dict[str, str]:
    return kept(request.query_params, FIELDS)


def _asked(request: Request, **more: str) -> Given:
    """Read the filter of the address; a state of jobs that have not failed is wrong here."""
    asked = read({**_kept(request), **more})
    if asked.wanted.state not in (None, *FAILED):
        asked.wrong["state"] = f"A failed job is one of: {', '.join(FAILED)}."
    return asked
