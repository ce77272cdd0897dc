"""The queues: what waits in each beside its promise, what is limited, what is paused; pausing and resuming."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.acting import Acting, Why, action
from dashboard.figures import stand
from dashboard.site import actor, refuse_without, site
from ledger import clock
from ledger.audit import Right
from ledger.operate import Refused
from ledger.pause import pause, pauses, resume
from ledger.queries import Kind, looking, read_kinds, read_limits, read_queues


def page(request: Request) -> Response:
    """Show the queues."""
    return show(request)


def show(request: Request, status: int = 200, *, refused: str | None = None) -> Response:
    """Answer with the queues, and with what came of the button that was pressed."""
    here = site(request)
    now = clock.now()
    with looking(here.engine) as db:
        queues = stand(read_queues(db), now)
        kinds = read_kinds(db)
        paused = pauses(db)
        limits = read_limits(db)
    return here.pages.answer(
        request,
        "queues.html",
        status,
        part="queues_live.html",
        live=refused is None,
        typed_into=True,
        queues=queues,
        kinds=kinds,
        kinds_of={queue.seen.queue: _of(kinds, queue.seen.queue) for queue in queues},
        paused=paused,
        limits=limits,
        stopped={p.queue: p for p in paused if p.queue and not p.kind and not p.business_id},
        chosen=request.query_params.get("pause", ""),
        refused=refused,
    )


def _refused(request: Request, said: str) -> Response:
    return show(request, 409, refused=said)


@action("pauses.begin", Right.ACT, why=Why.MUST, refused=_refused)
def begin_pause(act: Acting) -> Response:
    """Let nothing of a queue, a kind or a business start."""
    named = _named(act)
    number = pause(act.db, who=act.actor.name, why=act.why or "", **named)
    act.record(about={"pause": number, **{name: str(value) for name, value in named.items()}})
    return RedirectResponse(f"/queues#pause-{number}", 303)


def confirm_end(request: Request) -> Response:
    """Ask why a pause is resumed, where there is something to say."""
    refuse_without(actor(request), Right.ACT)
    return _end_form(request)


def _end_form(request: Request, said: str | None = None) -> Response:
    here, number = site(request), request.path_params["id"]
    with looking(here.engine) as db:
        found = next((each for each in pauses(db) if each.id == number), None)
    if found is None:
        return show(request, 409, refused=said or f"Pause {number} has ended, or there was none.")
    form = getattr(request.state, "form", None) or {}
    return here.pages.answer(
        request, "resume.html", 200 if said is None else 409, found=found, why=form.get("why", ""), refused=said
    )


@action("pauses.end", Right.ACT, refused=_end_form)
def end_pause(act: Acting) -> Response:
    """Let what waits for a pause go on."""
    number = act.request.path_params["id"]
    was = next((each for each in pauses(act.db) if each.id == number), None)
    resume(act.db, number, who=act.actor.name)
    before = None if was is None else {"queue": was.queue, "kind": was.kind, "business": was.business_id}
    act.record(about={"pause": number}, before=before)
    return RedirectResponse("/queues", 303)


def _named(act: Acting) -> dict[str, Any]:
    """Return what a form names: `what` is queue:mail or kind:alerts.send, `business` a UUID."""
    named: dict[str, Any] = {}
    word, _, value = act.form.get("what", "").partition(":")
    if word in ("queue", "kind") and value:
        named[word] = value
    if business := act.form.get("business", "").strip():
        try:
            named["business_id"] = UUID(business)
        except ValueError:
            raise Refused("a business is named by its UUID, such as a job's page has it") from None
    return named


def _of(kinds: tuple[Kind, ...], queue: str) -> list[str]:
    return [kind.kind for kind in kinds if kind.queue == queue]
