"""Another payload for a job that failed or waits, and its retry: checked by its kind's schema, the difference kept."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.acting import Acting, action
from dashboard.job import find, show
from dashboard.payload_form import fields, filled, payload_of
from dashboard.render import link
from dashboard.site import actor, refuse_without, site
from dashboard.telling import may_retry
from ledger import operate
from ledger.audit import Right
from ledger.queries import Kind, Story, looking, read_kinds
from ledger.queries.story import read_story


def page(request: Request) -> Response:
    """Show the payload as a form."""
    refuse_without(actor(request), Right.ACT)
    story = find(request)
    if not may_retry(story.job.state):
        return show(request, story, 409, refused=f"A job that is {story.job.state} cannot be changed.")
    return _form(request, story)


def _form(request: Request, story: Story, said: str | None = None) -> Response:
    kind = _kind(request, story)
    form = getattr(request.state, "form", None)
    shown = fields(kind, story.job.payload) if form is None else filled(kind, form, story.job.payload, said)
    return site(request).pages.answer(
        request,
        "edit.html",
        200 if said is None else 409,
        job=story.job,
        kind=kind,
        fields=shown,
        why="" if form is None else form.get("why", ""),
        refused=said,
    )


def _again(request: Request, said: str) -> Response:
    return _form(request, find(request), said)


@action("jobs.edit", Right.ACT, refused=_again)
def edit_job(act: Acting) -> Response:
    """Change the payload and retry the job."""
    job_id = act.request.path_params["id"]
    operate.take(act.db, job_id)
    story = read_story(act.db, job_id)
    if story is None:
        raise HTTPException(404, f"There is no job {job_id}.")
    was = story.job.payload
    payload = payload_of(_kind(act.request, story), act.form, was)
    now = operate.edit(act.db, job_id, payload)
    differs = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
    act.record(
        jobs=[job_id],
        before={"state": story.job.state, "payload": {name: was.get(name) for name in differs}},
        after={"state": "available", "payload": {name: now.get(name) for name in differs}},
    )
    return RedirectResponse(link(f"/jobs/{job_id}", done="edit"), 303)


def _kind(request: Request, story: Story) -> Kind:
    with looking(site(request).engine) as db:
        found = next((kind for kind in read_kinds(db) if kind.kind == story.job.kind), None)
    if found is None:
        raise HTTPException(409, f"The database knows no kind {story.job.kind} any more: nothing can check a payload.")
    return found
