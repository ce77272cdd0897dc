"""Asking for an erasure: whom it means is found out first, and nothing goes before it is confirmed."""

from uuid import UUID

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.acting import Acting, Why, action
from dashboard.site import actor, refuse_without, site
from ledger.audit import Right
from ledger.operate import Refused, ask
from models.erasures import Scope

ASK = text("SELECT nexara.ask_erasure_v1(:business, :scope, :root, CAST(:identifiers AS text[]), :reason)")
MEANING = {
    Scope.PERSON: "one person in one business: all their calls and messages, what was made of them, and their place in"
    " the address book",
    Scope.COMMUNICATIONS: "a person's calls and messages, and what was made of them; the business keeps its customer",
    Scope.RECORDING: "one recording with its transcript and what was made of it; its call stays",
    Scope.MEMBER: "a member of the business",
    Scope.VISITOR: "a visitor of a business's site",
    Scope.BUSINESS: "the whole business: nothing calls it back once it is confirmed",
}


def page(request: Request) -> Response:
    """Ask what is to go."""
    refuse_without(actor(request), Right.MANAGE_PRIVACY)
    return _form(request)


def _form(request: Request, said: str | None = None) -> Response:
    given = getattr(request.state, "form", None) or dict(request.query_params)
    return site(request).pages.answer(
        request, "privacy/ask.html", 200 if said is None else 409, scopes=MEANING, given=given, refused=said
    )


@action("privacy.erase", Right.MANAGE_PRIVACY, why=Why.MUST, refused=_form)
def ask_erasure(act: Acting) -> Response:
    """Have it found out whom an erasure means; it waits to be confirmed."""
    business = _id(act, "business")
    if business is None:
        raise Refused("which business is it? An erasure is of one business, by its id")
    typed = [line.strip() for line in act.form.get("identifiers", "").splitlines() if line.strip()]
    told = {"business": business, "scope": act.form.get("scope", ""), "root": _id(act, "root"), "reason": None}
    erasure = ask(act.db, ASK, {**told, "identifiers": typed})
    act.record(about={"business_id": str(business), "erasure": str(erasure)}, after={"scope": told["scope"]})
    return RedirectResponse(f"/privacy/erasures/{business}/{erasure}", 303)


def _id(act: Acting, name: str) -> UUID | None:
    given = act.form.get(name, "").strip()
    try:
        return UUID(given) if given else None
    except ValueError:
        # What was typed may be somebody's number: it is not said again.
        raise Refused(f"the id of the {'business' if name == 'business' else 'row'} is no id") from None
