"""The one way in which a page changes anything: checked, in one transaction, and written down in it.

    @action("pauses.end", Right.ACT, why=Why.MUST)
    def end_pause(act: Acting) -> Response:
        resume(act.db, act.request.path_params["id"], who=act.actor.name)
        act.record(about={"pause": act.request.path_params["id"]})
        return RedirectResponse("/queues", 303)

What it makes is the endpoint of a route. It reads the form, checks that one of our own pages sent it in this session,
opens the transaction, asks there who is signed in and whether their role has the right, runs the function, and commits
if that recorded what it did; until then the session cannot be ended nor the role changed. `Refused` rolls back and is
said with 409. For all other code of the dashboard the database is read-only (`Site.engine`).
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dashboard.errors import explain
from dashboard.forms import Form
from dashboard.site import refuse_stale, refuse_without, site
from ledger.audit import Actor, Right, Says, record
from ledger.operate import Refused
from ledger.sessions import who_acts
from ledger.transaction import DEADLOCKED

log = logging.getLogger(__name__)
Endpoint = Callable[[Request], Awaitable[Response]]
OnRefusal = Callable[[Request, str], Response]
WHY = "why"
"""The name of the field in which a form asks for a reason."""


class Why(Enum):
    """Whether an action asks for a reason."""

    MAY = "may be given"
    MUST = "must be given"


@dataclass
class Acting:
    """An action under way: what was asked, who asks, and the transaction that it is one with."""

    request: Request
    form: Form
    db: Connection
    actor: Actor
    name: str
    why: str | None
    recorded: list[int] = field(default_factory=list)

    def record(
        self,
        *,
        about: Says | None = None,
        jobs: tuple[int, ...] | list[int] = (),
        before: Says | None = None,
        after: Says | None = None,
    ) -> int:
        """Write the audit's row; returns its number. An action that records nothing is rolled back."""
        number = record(
            self.db, self.actor, self.name, why=self.why, about=about, jobs=jobs, before=before, after=after
        )
        self.recorded.append(number)
        return number


@dataclass(frozen=True, slots=True)
class Asked:
    """What an endpoint made by `action` does, and what it asks of whoever wants that."""

    name: str
    right: Right
    why: Why
    fresh: bool


def action(
    name: str, right: Right, *, why: Why = Why.MAY, fresh: bool = False, refused: OnRefusal | None = None
) -> Callable[[Callable[[Acting], Response]], Endpoint]:
    """Make an endpoint of what changes something; `refused` answers where the ledger will not, with its words.

    `fresh` asks that they proved who they are in the last minutes, for what one does not leave to an open browser.
    """

    def make(run: Callable[[Acting], Response]) -> Endpoint:
        def act(request: Request, form: Form) -> Response:
            try:
                answer = _in_one_transaction(request, form, Asked(name, right, why, fresh), run)
            except Refused as told:
                said = f"{str(told)[:1].upper()}{str(told)[1:]}."
                return refused(request, said) if refused else explain(request, HTTPStatus.CONFLICT, said)
            log.info("dashboard.acted", extra={"code": name})
            return answer

        async def endpoint(request: Request) -> Response:
            form = await site(request).forms.read(request, request.state.session)
            request.state.form = form  # what was typed is not lost if it is refused
            return await run_in_threadpool(act, request, form)

        _MADE[endpoint] = Asked(name, right, why, fresh)
        return endpoint

    return make


def _in_one_transaction(request: Request, form: Form, asked: Asked, run: Callable[[Acting], Response]) -> Response:
    given = form.get(WHY, "").strip()
    try:
        with site(request).acting.begin() as db:
            now = who_acts(db, request.state.digest)
            if now is None:
                raise HTTPException(401, "Your session has ended. Nothing was changed: sign in, then do it again.")
            refuse_without(now.actor, asked.right)
            if asked.fresh:
                refuse_stale(now.proved_at)
            if asked.why is Why.MUST and not given:
                raise Refused("say why: whoever looks at this tomorrow will ask")
            act = Acting(request, form, db, now.actor, asked.name, given or None)
            answer = run(act)
            if not act.recorded:
                raise RuntimeError(f"{asked.name} changed something and recorded nothing")
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in DEADLOCKED:
            raise Refused("somebody changed the same at the same moment: look again, then act") from None
        raise
    return answer


def made(endpoint: Any) -> Asked | None:
    """Return what an endpoint does, if `action` made it."""
    return _MADE.get(endpoint)


_MADE: dict[Any, Asked] = {}
