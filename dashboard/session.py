"""Which session a browser is in: a signed cookie holds its secret, the database knows whose it is and when it ends."""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass

from itsdangerous import BadSignature, Signer
from sqlalchemy import Engine
from starlette.requests import HTTPConnection
from starlette.responses import Response

from ledger import sessions
from ledger.sessions import SignedIn, Trying, digest_of, new_secret
from models.operators import SESSION_LASTS

SESSION, VISIT = "nexara", "nexara-visit"
"""The cookie of who is signed in, and that of who is about to be; under https each begins with __Host-."""
SAME_NETWORK = 64
"""Bits of an IPv6 address that one customer has to himself."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Reads, sets and takes away the cookies. `https`: the browser comes by https, though this process may not know."""

    engine: Engine
    secret: bytes
    https: bool = False

    def read(self, request: HTTPConnection, cookie: str = SESSION) -> str | None:
        """Return the secret in a cookie; None without one of ours."""
        try:
            return self._signer(cookie).unsign(request.cookies[self._name(request, cookie)]).decode()
        except (KeyError, BadSignature, ValueError):
            return None

    def who(self, secret: str, *, asked: bool) -> SignedIn | None:
        """Return who is signed in with a session's secret; `asked` says that they, and not their page, asked."""
        with self.engine.begin() as db:
            return sessions.who(db, digest_of(secret), asked=asked)

    def give(
        self,
        request: HTTPConnection,
        answer: Response,
        secret: str,
        cookie: str = SESSION,
        lasts: int = int(SESSION_LASTS.total_seconds()),
    ) -> None:
        """Have the browser keep a secret, for `lasts` seconds at most."""
        answer.set_cookie(
            self._name(request, cookie),
            self._signer(cookie).sign(secret).decode(),
            max_age=lasts,
            path="/",
            secure=self._is_https(request),
            httponly=True,
            samesite="lax",
        )

    def take(self, request: HTTPConnection, answer: Response, cookie: str = SESSION) -> None:
        """Have the browser forget it."""
        name = self._name(request, cookie)
        answer.delete_cookie(name, path="/", secure=self._is_https(request), httponly=True, samesite="lax")

    def visit(self, request: HTTPConnection) -> str:
        """Return the secret of a browser that is not signed in yet: the sign-in form is bound to it."""
        return self.read(request, VISIT) or new_secret()

    def trying(self, request: HTTPConnection, name: str) -> Trying:
        """Return from where and as whom somebody tries to sign in, as digests that only we can make."""
        return Trying(self._digest(f"address:{_network(request)}"), self._digest(f"name:{name.strip().lower()}"))

    def _digest(self, value: str) -> str:
        return hmac.new(self.secret, value.encode(), hashlib.sha256).hexdigest()

    def _signer(self, cookie: str) -> Signer:
        return Signer(self.secret, salt=f"nexara.dashboard.{cookie}", digest_method=hashlib.sha256)

    def _name(self, request: HTTPConnection, cookie: str) -> str:
        return f"__Host-{cookie}" if self._is_https(request) else cookie

    def _is_https(self, request: HTTPConnection) -> bool:
        return self.https or request.url.scheme == "https"


def key_of(secret: str) -> str:
    """Return what forms are bound to: it stands in no page, and tells nothing of the session's secret."""
    return digest_of(secret).hex()


def _network(request: HTTPConnection) -> str:
    host = request.client.host if request.client else "unknown"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, SAME_NETWORK), strict=False))
    return host
