"""A job enqueued by hand, from a form made of its kind's schema."""

from collections.abc import Mapping
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.acting import Acting, action
from dashboard.payload_form import fields, filled, payload_of
from dashboard.render import link
from dashboard.site import actor, refuse_without, site
from ledger import moments
from ledger.audit import Right
from ledger.enqueue_by_hand import enqueue_by_hand
from ledger.operate import Refused
from ledger.queries import Kind, looking, read_kinds

HOUSE = "house"
WRONG = {
    "business": "A business is a UUID, or the word house.",
    "run_at": "A time in UTC, such as 2026-05-04T12:30.",
    "priority": "A priority is 0 (first) to 3 (last).",
}


def page(request: Request) -> Response:
    """Show the kinds to choose from, or the form of the one that was chosen."""
    refuse_without(actor(request), Right.ACT)
    kinds = _kinds(request)
    chosen = request.query_params.get("kind")
    if not chosen:
        return site(request).pages.answer(request, "enqueue_kind.html", kinds=kinds)
    return _form(request, _find(kinds, chosen), {})


def _form(request: Request, kind: Kind, form: Mapping[str, str], said: str | None = None) -> Response:
    wrong = {name: why for name, why in WRONG.items() if form and not _readable(name, form)}
    return site(request).pages.answer(
        request,
        "enqueue.html",
        200 if said is None else 409,
        kind=kind,
        fields=filled(kind, form, {}, said) if form else fields(kind, {}),
        given={name: form.get(name, "") for name in (*WRONG, "why")},
        wrong=wrong,
        refused=said,
    )


def _again(request: Request, said: str) -> Response:
    form = request.state.form
    return _form(request, _find(_kinds(request), form.get("kind", "")), form, said)


@action("jobs.enqueue", Right.ACT, refused=_again)
def enqueue_job(act: Acting) -> Response:
    """Enqueue the job."""
    form = act.form
    kind = _find(_kinds(act.request), form.get("kind", ""))
    if not all(_readable(name, form) for name in WRONG):
        raise Refused("see the field marked below")
    business, run_at = form.get("business", "").strip(), form.get("run_at", "").strip()
    payload = payload_of(kind, form, {})
    put = enqueue_by_hand(
        act.db,
        kind.kind,
        payload,
        business_id=UUID(int=0) if business == HOUSE else UUID(business),
        priority=int(form["priority"]) if form.get("priority") else None,
        run_at=moments.read(run_at) if run_at else None,
    )
    about = {"kind": kind.kind, "business_id": business, "joined": put.joined}
    act.record(about=about, jobs=[put.id], after={"payload": payload})
    return RedirectResponse(link(f"/jobs/{put.id}", done="joined" if put.joined else "enqueue"), 303)


def _readable(name: str, form: Mapping[str, str]) -> bool:
    value = form.get(name, "").strip()
    try:
        if name == "business":
            return value == HOUSE or bool(UUID(value))
        if name == "priority":
            return not value or value in ("0", "1", "2", "3")
        return not value or bool(moments.read(value))
    except ValueError:
        return False


def _kinds(request: Request) -> tuple[Kind, ...]:
    with looking(site(request).engine) as db:
        return read_kinds(db)


def _find(kinds: tuple[Kind, ...], name: str) -> Kind:
    found = next((kind for kind in kinds if kind.kind == name), None)
    if found is None:
        raise HTTPException(404, "There is no such kind of job: choose one on the page Enqueue.")
    return found
