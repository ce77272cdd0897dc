"""The two addresses of a sign-in through the identity provider: the way there, and the way back."""

from dataclasses import asdict

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.oidc import Flow, NotVouchedFor, Oidc
from dashboard.signing_in import begin, safe_next, show
from dashboard.site import site
from ledger import sessions
from ledger.operate import Refused
from ledger.sessions import Trying

COOKIE = "nexara-oidc"
GOOD_FOR = 600
"""Seconds that somebody may take at the provider."""
UNCOUNTED = Trying("", "")
"""The provider counts the tries that are made there."""


def leave(request: Request) -> Response:
    """Send the browser to the provider."""
    here, query = site(request), request.query_params
    try:
        address, flow = _provider(request).begin(safe_next(query.get("next")), again=bool(query.get("again")))
    except NotVouchedFor as told:
        return _refused(request, told)
    answer = RedirectResponse(address, 303)
    here.sessions.give(request, answer, _cookies(request).dumps(asdict(flow)), COOKIE, lasts=GOOD_FOR)
    return answer


def come_back(request: Request) -> Response:
    """Take whom the provider sends back."""
    here = site(request)
    provider = _provider(request)
    try:
        flow = Flow(**_cookies(request).loads(here.sessions.read(request, COOKIE) or "", max_age=GOOD_FOR))
        person = provider.finish(request.query_params, flow)
        with here.acting.begin() as db:
            operator_id = sessions.provided(db, person.name, person.role, provider.issuer, person.subject)
    except BadSignature:
        answer = _refused(request, NotVouchedFor("this browser began no sign-in in the last ten minutes: begin again"))
    except (NotVouchedFor, Refused) as told:
        answer = _refused(request, told)
    else:
        answer = begin(request, operator_id, UNCOUNTED, flow.next, how="oidc")
    here.sessions.take(request, answer, COOKIE)
    return answer


def _refused(request: Request, told: Exception) -> Response:
    said = str(told)
    return show(request, 403, wrong=f"{said[:1].upper()}{said[1:]}.")


def _provider(request: Request) -> Oidc:
    provider = site(request).oidc
    if provider is None:
        raise HTTPException(404)
    return provider


def _cookies(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(site(request).sessions.secret, salt="nexara.dashboard.oidc")
