"""What the buttons of a job's page do."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.acting import Acting, action
from dashboard.job import find, show
from dashboard.render import link
from dashboard.site import actor, refuse_without, site
from dashboard.telling import MEANING, may_discard
from ledger import operate
from ledger.audit import Right
from ledger.by_hand import Change, change


def _still_there(request: Request, said: str) -> Response:
    return show(request, find(request), 409, refused=said)


@action("jobs.retry", Right.ACT, refused=_still_there)
def retry_job(act: Acting) -> Response:
    """Make a job available again."""
    return _change(act, "retry", operate.retry)


@action("jobs.run_now", Right.ACT, refused=_still_there)
def run_now(act: Acting) -> Response:
    """Make a job that waits due at once."""
    return _change(act, "run-now", operate.run_now)


@action("jobs.discard", Right.ACT, refused=_still_there)
def discard_job(act: Acting) -> Response:
    """Put a job aside."""
    return _change(act, "discard", operate.discard)


@action("jobs.cancel", Right.ACT, refused=_still_there)
def cancel_job(act: Acting) -> Response:
    """Cancel a job: at once, or at its next checkpoint."""
    return _change(act, "cancel", operate.cancel)


def confirm_discard(request: Request) -> Response:
    """Ask before a job is put aside."""
    refuse_without(actor(request), Right.ACT)
    story = find(request)
    if not may_discard(story.job.state):
        return show(request, story, 409, refused=f"A job that is {story.job.state} cannot be discarded.")
    return site(request).pages.answer(request, "discard.html", job=story.job, meaning=MEANING[story.job.state])


def _change(act: Acting, name: str, how: Change) -> Response:
    job_id = act.request.path_params["id"]
    changed = change(act.db, job_id, how)
    act.record(jobs=[job_id], before=changed.before, after=changed.after)
    return RedirectResponse(link(f"/jobs/{job_id}", done=name), 303)
