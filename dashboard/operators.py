"""The page on which an admin manages operators; each action asks for a sign-in of the last minutes."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.acting import Acting, action
from dashboard.render import link
from dashboard.site import actor, refuse_stale, refuse_without, site
from ledger import operators as known
from ledger.audit import Right
from ledger.operate import Refused
from ledger.operators import Operator
from models.operators import ROLES

MEANING = {
    "viewer": "looks at everything but people's data, and changes nothing",
    "operator": "looks, retries, discards, pauses: what mends a night",
    "privacy_officer": "an operator who may also see personal data, each look audited",
    "admin": "an operator who may also manage operators, and sees nobody's data by that",
}
DONE = {
    "added": "They can sign in now.",
    "role": "The role holds from their next request on.",
    "password": "They are signed out everywhere, and sign in with the new password.",
    "disabled": "They are signed out everywhere, and cannot sign in.",
    "enabled": "They can sign in again.",
    "ended": "They are signed out everywhere.",
}


def page(request: Request) -> Response:
    """List the operators, and ask for another."""
    _managing(request)
    return _list(request)


def one(request: Request) -> Response:
    """Show one operator, and what can be done with them."""
    _managing(request)
    return _show(request)


def _refused_add(request: Request, said: str) -> Response:
    return _list(request, 409, refused=said)


def _refused(request: Request, said: str) -> Response:
    return _show(request, 409, refused=said)


@action("operators.add", Right.MANAGE_OPERATORS, fresh=True, refused=_refused_add)
def add(act: Acting) -> Response:
    """Add an operator."""
    name, role = act.form.get("name", "").strip().lower(), act.form.get("role", "")
    known.add(act.db, name, role, act.form.get("password", ""))
    act.record(about={"operator": name}, after={"role": role})
    return _back(name, "added")


@action("operators.role", Right.MANAGE_OPERATORS, fresh=True, refused=_refused)
def change_role(act: Acting) -> Response:
    """Give an operator another role; nobody gives themselves one."""
    name, role = _another(act), act.form.get("role", "")
    before = known.set_role(act.db, name, role)
    act.record(about={"operator": name}, before={"role": before}, after={"role": role})
    return _back(name, "role")


@action("operators.password", Right.MANAGE_OPERATORS, fresh=True, refused=_refused)
def set_password(act: Acting) -> Response:
    """Give an operator another password."""
    name = _another(act)
    known.set_password(act.db, name, act.form.get("password", ""))
    act.record(about={"operator": name})
    return _back(name, "password")


@action("operators.disable", Right.MANAGE_OPERATORS, fresh=True, refused=_refused)
def disable(act: Acting) -> Response:
    """Let an operator in no more."""
    name = _another(act)
    known.disable(act.db, name)
    act.record(about={"operator": name}, before={"disabled": False}, after={"disabled": True})
    return _back(name, "disabled")


@action("operators.enable", Right.MANAGE_OPERATORS, fresh=True, refused=_refused)
def enable(act: Acting) -> Response:
    """Let an operator in again."""
    name = _another(act)
    known.disable(act.db, name, disable=False)
    act.record(about={"operator": name}, before={"disabled": True}, after={"disabled": False})
    return _back(name, "enabled")


@action("operators.end_sessions", Right.MANAGE_OPERATORS, fresh=True, refused=_refused)
def sign_out(act: Acting) -> Response:
    """Sign an operator out everywhere."""
    name = _another(act)
    act.record(about={"operator": name, "sessions": known.end_sessions(act.db, name)})
    return _back(name, "ended")


def _managing(request: Request) -> None:
    refuse_without(actor(request), Right.MANAGE_OPERATORS)
    refuse_stale(request.state.proved_at)


def _another(act: Acting) -> str:
    name = str(act.request.path_params["name"]).strip().lower()
    if name == act.actor.name:
        raise Refused("this is you: change your password under your name, and ask another admin for the rest")
    return name


def _list(request: Request, status: int = 200, *, refused: str | None = None) -> Response:
    here = site(request)
    with here.engine.connect() as db:
        listed = known.list_operators(db)
    return here.pages.answer(
        request, "operators.html", status, operators=listed, roles=ROLES, meaning=MEANING, refused=refused
    )


def _show(request: Request, status: int = 200, *, refused: str | None = None) -> Response:
    return site(request).pages.answer(
        request,
        "operator.html",
        status,
        operator=_find(request),
        roles=ROLES,
        meaning=MEANING,
        refused=refused,
        done=DONE.get(request.query_params.get("done", "")),
    )


def _find(request: Request) -> Operator:
    name = request.path_params["name"]
    try:
        with site(request).engine.connect() as db:
            return known.find_operator(db, name)
    except Refused:
        raise HTTPException(404, f"There is no operator {name}: the list shows who there is.") from None


def _back(name: str, done: str) -> Response:
    return RedirectResponse(link(f"/operators/{name}", done=done), 303)
