"""What an officer does to an erasure: decide, confirm, withdraw, judge a text, have copies asked about again."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.acting import Acting, Why, action
from dashboard.privacy.erasures import at, known, show
from dashboard.privacy.reading import find_erasure
from dashboard.site import actor, refuse_without, site
from ledger.audit import Right
from ledger.operate import Refused, ask
from ledger.queries import looking

DECIDE = text("SELECT nexara.decide_erasure_v1(:business, :erasure, :row, :decision)")
CONFIRM = text("SELECT nexara.confirm_erasure_v1(:business, :erasure)")
WITHDRAW = text("SELECT nexara.withdraw_erasure_v1(:business, :erasure)")
REVIEW = text("SELECT nexara.decide_review_v1(:business, :review, :state)")
AGAIN = text("SELECT nexara.ask_again_v1(:business, :erasure)")


def _shown(request: Request, said: str) -> Response:
    return show(request, 409, refused=said)


def confirm_page(request: Request) -> Response:
    """Ask once more before anything goes, on a page of its own."""
    refuse_without(actor(request), Right.MANAGE_PRIVACY)
    here = site(request)
    with looking(here.engine) as db:
        erasure = known(find_erasure(db, request.path_params["business"], request.path_params["id"]))
    return here.pages.answer(request, "privacy/confirm.html", erasure=erasure)


@action("privacy.confirm", Right.MANAGE_PRIVACY, why=Why.MUST, fresh=True, refused=_shown)
def confirm(act: Acting) -> Response:
    """Confirm it: from here on it goes."""
    return _do(act, CONFIRM)


@action("privacy.withdraw", Right.MANAGE_PRIVACY, refused=_shown)
def withdraw(act: Acting) -> Response:
    """Take back what was not confirmed."""
    return _do(act, WITHDRAW)


@action("privacy.ask_again", Right.MANAGE_PRIVACY, refused=_shown)
def ask_again(act: Acting) -> Response:
    """Have the copies asked about that somebody has seen to."""
    return _do(act, AGAIN)


@action("privacy.decide", Right.MANAGE_PRIVACY, refused=_shown)
def decide(act: Acting) -> Response:
    """Say whether a row that may be somebody else's is meant."""
    return _do(act, DECIDE, row=_id(act, "row"), decision=act.form.get("decision", ""))


@action("privacy.review", Right.MANAGE_PRIVACY, refused=_shown)
def review(act: Acting) -> Response:
    """Say of a text that it was mended, or names somebody else."""
    return _do(act, REVIEW, review=_id(act, "review"), state=act.form.get("state", ""))


def _do(act: Acting, does: TextClause, **more: str) -> Response:
    told: Mapping[str, Any] = {
        "business": str(act.request.path_params["business"]),
        "erasure": str(act.request.path_params["id"]),
        **more,
    }
    ask(act.db, does, told)
    act.record(about=told)
    return RedirectResponse(at(act.request), 303)


def _id(act: Acting, name: str) -> str:
    try:
        return str(UUID(act.form.get(name, "")))
    except ValueError:
        raise Refused(f"there is no such {name}") from None
