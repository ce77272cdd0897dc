"""Asking for an operation: its jobs are counted and a few are shown before anybody says yes, and why."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.acting import Acting, Why, action
from dashboard.site import actor, refuse_without, site
from ledger.audit import Right
from ledger.operate import Refused
from ledger.operations import create
from ledger.queries import looking
from ledger.queries.filters import Given, read
from ledger.queries.targets import MOST, find_targets
from models.operations import Action

SPREADS = {
    "0": "at once",
    "1": "over a minute",
    "5": "over 5 minutes",
    "10": "over 10 minutes",
    "30": "over half an hour",
    "60": "over an hour",
    "240": "over 4 hours",
    "720": "over 12 hours",
}
"""Minutes over which retried jobs come due."""
FEW = 50
"""Jobs that no vendor minds at once."""


def preview(request: Request) -> Response:
    """Show what an operation would be done to, and ask why."""
    refuse_without(actor(request), Right.ACT)
    return show(request, request.query_params)


def show(request: Request, given: Mapping[str, Any], status: int = 200, *, refused: str | None = None) -> Response:
    """Answer with what an operation would be done to; `given` is what was asked and typed so far."""
    here = site(request)
    wanted, asked = _action(given), read(given)
    with looking(here.engine) as db:
        targets = None if asked.wrong else find_targets(db, wanted, asked.wanted)
    usual = "5" if targets is not None and targets.total > FEW else "0"
    return here.pages.answer(
        request,
        "operate.html",
        400 if asked.wrong else status,
        action=wanted,
        asked=asked,
        targets=targets,
        most=MOST,
        spreads=SPREADS,
        spread=given.get("spread") or usual,
        why=given.get("why", ""),
        refused=refused,
    )


def _again(request: Request, said: str) -> Response:
    return show(request, request.state.form, 409, refused=said)


@action("operations.create", Right.ACT, why=Why.MUST, refused=_again)
def create_operation(act: Acting) -> Response:
    """Ask for an operation on the jobs that its filter names now."""
    wanted, asked = _action(act.form), _readable(read(act.form))
    spread = act.form.get("spread", "0")
    if spread not in SPREADS:
        raise Refused("choose from the list over how long the jobs come due")
    over = timedelta(minutes=int(spread)) if wanted is Action.RETRY else timedelta()
    made = create(act.db, act.actor, wanted, asked.wanted, why=act.why or "", spread=over)
    act.recorded.append(made.audit_id)
    return RedirectResponse(f"/operations/{made.id}", 303)


def _action(given: Mapping[str, str]) -> Action:
    try:
        return Action(given.get("action", ""))
    except ValueError:
        raise HTTPException(400, "An operation retries or discards: choose it on the page of a failure.") from None


def _readable(asked: Given) -> Given:
    if asked.wrong:
        raise Refused("the filter could not be read: choose the jobs again")
    return asked
