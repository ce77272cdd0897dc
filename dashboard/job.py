"""One job: what became of it, why, and what can be done."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dashboard.site import may, site
from dashboard.telling import (
    MEANING,
    MOVES_SOON,
    may_cancel,
    may_discard,
    may_retry,
    may_run_now,
    may_snooze,
    meaning_of_reason,
)
from ledger.audit import Right
from ledger.queries import Story, looking, read_batches_of, read_job_audit, read_story
from ledger.queries.walk import LARGEST

DONE = {
    "retry": "The job is available again. A worker takes it up in a moment; this page follows it.",
    "cancel": "The job is cancelled; one that runs ends at its next checkpoint, and what it has saved by then stays.",
    "run-now": "The job is due now, its attempts as they stand. This page follows it.",
    "edit": "The job has its new payload and is available again. This page follows it.",
    "snooze": "The job is put off. It comes due by itself; Run now would end the wait.",
    "joined": "Nothing was enqueued: this open job does the same already.",
    "enqueue": "The job is enqueued. A worker takes it up in a moment; this page follows it.",
    "discard": "The job is discarded. Nothing runs it any more; a retry would bring it back.",
}


def page(request: Request) -> Response:
    """Show one job."""
    return show(request, find(request), done=DONE.get(request.query_params.get("done", "")))


def find(request: Request) -> Story:
    """Return the story of the job that the address names; raises HTTPException if there is none."""
    job_id = request.path_params["id"]
    story = None
    if job_id <= LARGEST:
        with looking(site(request).engine) as db:
            story = read_story(db, job_id)
    if story is None:
        raise HTTPException(
            404,
            f"There is no job {job_id}. Finished jobs are forgotten after 30 days, and the jobs of an erased person or"
            " business with their data. Look in the list by business, or by a UUID that the payload named.",
        )
    return story


def show(
    request: Request, story: Story, status: int = 200, *, done: str | None = None, refused: str | None = None
) -> Response:
    """Answer with the page of a job, and with what came of the button that was pressed."""
    here, acts = site(request), may(request, Right.ACT)
    with looking(here.engine) as db:
        by_hand = read_job_audit(db, story.job.id)
        batches = read_batches_of(db, story.job.id)
    return here.pages.answer(
        request,
        "job.html",
        status,
        part="job_live.html",
        live=story.job.state in MOVES_SOON,
        story=story,
        job=story.job,
        meaning=MEANING[story.job.state],
        reason=meaning_of_reason(story.job.reason),
        may_retry=acts and may_retry(story.job.state),
        may_run_now=acts and may_run_now(story.job.state),
        may_edit=acts and may_retry(story.job.state) and bool(story.job.payload),
        may_snooze=acts and may_snooze(story.job.state),
        may_discard=acts and may_discard(story.job.state),
        may_cancel=acts and may_cancel(story.job.state) and story.job.cancel_requested_at is None,
        by_hand=by_hand,
        batches=batches,
        done=done,
        refused=refused,
    )
