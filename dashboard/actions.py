"""What the buttons do: they call the ledger's operations, and nothing else changes anything."""

import logging
from collections.abc import Callable

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.job import find, show
from dashboard.render import link
from dashboard.site import operator, site
from dashboard.telling import MEANING, may_discard
from ledger import operate

log = logging.getLogger(__name__)
Operation = Callable[[Connection, int], str]


async def retry_job(request: Request) -> Response:
    """Make a job available again."""
    return await _act(request, "retry", operate.retry)


async def discard_job(request: Request) -> Response:
    """Put a job aside."""
    return await _act(request, "discard", operate.discard)


async def cancel_job(request: Request) -> Response:
    """Cancel a job: at once, or at its next checkpoint."""
    return await _act(request, "cancel", operate.cancel)


def confirm_discard(request: Request) -> Response:
    """Ask before a job is put aside."""
    here = site(request)
    story = find(request)
    if not may_discard(story.job.state):
        return show(request, story, 409, refused=f"A job that is {story.job.state} cannot be discarded.")
    return here.pages.answer(
        request,
        "discard.html",
        job=story.job,
        meaning=MEANING[story.job.state],
        token=here.forms.token(operator(request), request.url.path),
    )


async def _act(request: Request, name: str, operation: Operation) -> Response:
    await site(request).forms.check(request, operator(request))
    return await run_in_threadpool(_operate, request, name, operation)


def _operate(request: Request, name: str, operation: Operation) -> Response:
    story = find(request)
    try:
        with site(request).engine.begin() as db:
            operation(db, story.job.id)
    except operate.Refused as refused:
        return show(request, find(request), 409, refused=f"{str(refused).capitalize()}.")
    log.info(f"dashboard.{name}", extra={"job_id": story.job.id})  # noqa: G004 - one of three names of ours
    return RedirectResponse(link(f"/jobs/{story.job.id}", done=name), 303)
