"""A small identity provider of our own: it signs in whoever it is told to, and lies where it is told to."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.ports import LOOPBACK, free_port

CLIENT, SECRET = "nexara-oncall", "tell-nobody"
KEY = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
ANOTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"}, private=True)


@dataclass
class Provider:
    """What it says of whoever signs in, and how it lies."""

    issuer: str
    claims: dict[str, Any] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    forged: str | None = None
    key: Any = field(default_factory=lambda: KEY)
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    called: str | None = None

    def configuration(self, _: Request) -> Response:
        told = {
            "issuer": self.called or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return JSONResponse(told | ({"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.userinfo else {}))

    def keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [KEY.as_dict(private=False)]})

    def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"]}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 302)

    async def token(self, request: Request) -> Response:
        form = await request.form()
        given = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        asked = self.codes.pop(str(form["code"]), None)
        verifier = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if (
            given != f"{CLIENT}:{SECRET}"
            or asked is None
            or asked["code_challenge_method"] != "S256"
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        says = {"iss": self.issuer, "aud": CLIENT, "sub": "4711", "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        says |= {"auth_time": now} if "max_age" in asked else {}
        says |= {**self.claims, **self.lies}
        says = {name: value for name, value in says.items() if value is not None}
        signed = forge(self.forged, says) if self.forged else jwt.encode({"alg": "RS256", "kid": "one"}, says, self.key)
        return JSONResponse({"access_token": "opaque", "token_type": "Bearer", "id_token": signed, "expires_in": 300})

    def info(self, _: Request) -> Response:
        return JSONResponse(self.userinfo)


def forge(algorithm: str, says: dict[str, Any]) -> str:
    """Return a token as somebody writes it who has no private key: unsigned, or signed with what everybody knows."""
    parts = [_encoded(json.dumps(part).encode()) for part in ({"alg": algorithm, "kid": "one"}, says)]
    public = KEY.as_pem(private=False)
    signature = hmac.digest(public, ".".join(parts).encode(), "sha256") if algorithm == "HS256" else b""
    return ".".join([*parts, _encoded(signature)])


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


@contextmanager
def running() -> Iterator[Provider]:
    """Run one in a thread."""
    port = free_port()
    provider = Provider(f"http://{LOOPBACK}:{port}")
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", provider.configuration),
            Route("/keys", provider.keys),
            Route("/authorize", provider.authorize),
            Route("/token", provider.token, methods=["POST"]),
            Route("/userinfo", provider.info),
        ]
    )
    server = uvicorn.Server(uvicorn.Config(app, host=LOOPBACK, port=port, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield provider
    server.should_exit = True
    thread.join(10)
