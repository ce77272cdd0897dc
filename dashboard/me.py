"""One's own page: what one may do, another password, an end to one's sessions elsewhere."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.acting import Acting, action
from dashboard.operators import MEANING
from dashboard.render import link
from dashboard.site import actor, is_fresh, site
from ledger import operators
from ledger.audit import Right
from ledger.operate import Refused

DONE = {
    "password": "Your password is changed. You are signed out everywhere but here.",
    "elsewhere": "You are signed out everywhere but here.",
}


def page(request: Request) -> Response:
    """Show one's own page."""
    return _show(request, done=DONE.get(request.query_params.get("done", "")))


def _refused(request: Request, said: str) -> Response:
    return _show(request, 409, refused=said)


@action("operators.own_password", Right.LOOK, fresh=True, refused=_refused)
def change_password(act: Acting) -> Response:
    """Take another password; the sign-in of the last minutes has proved the old one, and counted the tries at it."""
    if act.form.get("password") != act.form.get("again"):
        raise Refused("the new password was not typed the same twice")
    operators.set_password(act.db, act.actor.name, act.form.get("password", ""), but_for=act.request.state.digest)
    act.record(about={"operator": act.actor.name})
    return RedirectResponse(link("/me", done="password"), 303)


@action("operators.end_own_sessions", Right.LOOK, refused=_refused)
def sign_out_elsewhere(act: Acting) -> Response:
    """End one's sessions in other browsers."""
    ended = operators.end_sessions(act.db, act.actor.name, but_for=act.request.state.digest)
    act.record(about={"sessions": ended})
    return RedirectResponse(link("/me", done="elsewhere"), 303)


def _show(request: Request, status: int = 200, *, done: str | None = None, refused: str | None = None) -> Response:
    here = site(request)
    with here.engine.connect() as db:
        mine = operators.find_operator(db, actor(request).name)
    return here.pages.answer(
        request,
        "me.html",
        status,
        mine=mine,
        meaning=MEANING[mine.role],
        done=done,
        refused=refused,
        fresh=is_fresh(request.state.proved_at),
    )
