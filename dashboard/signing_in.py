"""Signing in and out: the same work and the same words for a wrong password and for a name that is nobody's."""

import logging
from http import HTTPStatus
from urllib.parse import urlsplit
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.acting import Acting, action
from dashboard.forms import Form
from dashboard.guard import SIGN_IN
from dashboard.session import VISIT, key_of
from dashboard.site import site
from dashboard.wording import span
from ledger import sessions
from ledger.audit import Right, record
from ledger.operate import Refused
from ledger.passwords import TooMany, matches
from ledger.sessions import Trying

log = logging.getLogger(__name__)
WRONG = "That name and password belong together nowhere here. Try again; an admin can give you another password."


def page(request: Request) -> Response:
    """Ask who it is; who is signed in already goes on, unless they are asked to prove it again."""
    query = request.query_params
    if _signed_in(request) and not query.get("again"):
        return RedirectResponse(safe_next(query.get("next")), 303)
    said = "You are signed out." if query.get("out") else None
    return show(request, said=said, next_=query.get("next"), again=bool(query.get("again")))


async def sign_in(request: Request) -> Response:
    """Take a name and a password."""
    here = site(request)
    form = await here.forms.read(request, key_of(here.sessions.visit(request)))
    return await run_in_threadpool(_sign_in, request, form)


@action("operators.sign_out", Right.LOOK)
def sign_out(act: Acting) -> Response:
    """End the session."""
    act.record()
    sessions.end(act.db, act.request.state.digest)
    answer = RedirectResponse(f"{SIGN_IN}?out=1", 303)
    site(act.request).sessions.take(act.request, answer)
    return answer


def show(
    request: Request,
    status: int = 200,
    *,
    wrong: str | None = None,
    said: str | None = None,
    name: str = "",
    next_: str | None = None,
    again: bool = False,
) -> Response:
    """Answer with the page that asks for name and password, or leads to the identity provider."""
    here = site(request)
    visit = here.sessions.visit(request)
    answer = here.pages.answer(
        request,
        "sign_in.html",
        status,
        wrong=wrong,
        said=said,
        name=name,
        next=safe_next(next_),
        again=again and _signed_in(request),
        provider=here.oidc.name if here.oidc else None,
        csrf=lambda path: here.forms.hidden(key_of(visit), path),
    )
    here.sessions.give(request, answer, visit, VISIT)
    return answer


def _sign_in(request: Request, form: Form) -> Response:
    here = site(request)
    name, next_ = form.get("name", "")[:100], form.get("next")
    trying = here.sessions.trying(request, name)
    with here.acting.begin() as db:
        wait = sessions.must_wait(db, trying)
    if wait:
        return _later(request, wait, name, next_)
    with here.acting.begin() as db:
        proof = sessions.password_of(db, name)
    try:
        right = matches(proof.stored if proof else None, form.get("password", ""))
    except TooMany:
        return _later(request, 5, name, next_)
    if proof is None or not right:
        log.warning("dashboard.sign_in_refused")
        return show(request, HTTPStatus.FORBIDDEN, wrong=WRONG, name=name, next_=next_)
    with here.acting.begin() as db:
        sessions.rehash(db, proof, form.get("password", ""))
    return begin(request, proof.operator_id, trying, next_, how="password")


def begin(request: Request, operator_id: UUID, trying: Trying, next_: str | None, *, how: str) -> Response:
    """Begin a session of who has proved who they are: its secret is new, and the one before it ends."""
    here = site(request)
    secret = sessions.new_secret()
    try:
        with here.acting.begin() as db:
            actor = sessions.begin(db, operator_id, secret, here.sessions.read(request), trying)
            record(db, actor, "operators.sign_in", about={"by": how})
    except Refused as refused:
        return show(request, HTTPStatus.FORBIDDEN, wrong=f"{str(refused).capitalize()}.", next_=next_)
    log.info("dashboard.signed_in")
    answer = RedirectResponse(safe_next(next_), 303)
    here.sessions.give(request, answer, secret)
    here.sessions.take(request, answer, VISIT)
    return answer


def safe_next(address: str | None) -> str:
    """Return a page of ours to go on to: the address, if it is one, else the overview."""
    if not address or not address.isprintable() or not address.startswith("/") or address[1:2] in ("/", "\\"):
        return "/"
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or parts.path.startswith((SIGN_IN, "/sign-out")):
        return "/"
    return address


def _signed_in(request: Request) -> bool:
    return getattr(request.state, "actor", None) is not None


def _later(request: Request, seconds: int, name: str, next_: str | None) -> Response:
    wrong = (
        f"Too many tries to sign in. Wait {span(seconds)}, then try again: the right password is not looked at earlier."
    )
    answer = show(request, HTTPStatus.TOO_MANY_REQUESTS, wrong=wrong, name=name, next_=next_)
    answer.headers["Retry-After"] = str(seconds)
    return answer
