"""Putting a job off: for a while, or until a moment."""

from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.acting import Acting, action
from dashboard.job import find, show
from dashboard.render import link
from dashboard.site import actor, refuse_without, site
from dashboard.telling import may_snooze
from ledger import clock, moments, operate
from ledger.audit import Right
from ledger.by_hand import change
from ledger.operate import Refused

CHOICES = {
    "5": "5 minutes",
    "15": "15 minutes",
    "60": "1 hour",
    "240": "4 hours",
    "720": "12 hours",
    "1440": "1 day",
    "10080": "1 week",
}
"""Minutes."""
USUAL = "60"


def page(request: Request) -> Response:
    """Ask until when."""
    refuse_without(actor(request), Right.ACT)
    story = find(request)
    if not may_snooze(story.job.state):
        return show(request, story, 409, refused=f"A job that is {story.job.state} cannot be put off.")
    return _form(request)


def _form(request: Request, said: str | None = None) -> Response:
    form = getattr(request.state, "form", None) or {}
    return site(request).pages.answer(
        request,
        "snooze.html",
        200 if said is None else 409,
        job=find(request).job,
        choices=CHOICES,
        chosen=form.get("minutes", USUAL),
        until=form.get("until", ""),
        why=form.get("why", ""),
        refused=said,
    )


@action("jobs.snooze", Right.ACT, refused=_form)
def snooze_job(act: Acting) -> Response:
    """Put the job off."""
    job_id, until = act.request.path_params["id"], _until(act)
    changed = change(act.db, job_id, lambda db, found: operate.snooze(db, found, until))
    act.record(jobs=[job_id], before=changed.before, after=changed.after)
    return RedirectResponse(link(f"/jobs/{job_id}", done="snooze"), 303)


def _until(act: Acting) -> datetime:
    typed = act.form.get("until", "").strip()
    if typed:
        try:
            return moments.read(typed)
        except ValueError:
            raise Refused("the moment could not be read: write it in UTC, such as 2026-05-04T12:30") from None
    minutes = act.form.get("minutes", "")
    if minutes not in CHOICES:
        raise Refused("choose for how long, or write a moment")
    return clock.now() + timedelta(minutes=int(minutes))
