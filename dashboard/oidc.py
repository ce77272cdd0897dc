"""Signing in through an identity provider: OpenID Connect, authorization code with PKCE, by Authlib.

What of the provider's claims lets whom in, and as what, the settings say; whoever no rule names is not let in.
"""

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from models.operators import ROLES, Role

SCOPE = "openid email profile"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures that need the provider's private key: with a shared secret, or none, anybody could sign."""
TIMEOUT = 10.0
LEEWAY = 60
"""Seconds that the provider's clock may be off."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
RULE = re.compile(r"(?:(?P<claim>[A-Za-z0-9_.:/-]+)=(?P<value>[^:,]+)|\*):(?P<role>[a-z_]+)")


class NotVouchedFor(Exception):
    """The provider did not say what lets this person in; the message is for them."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Who gets a role: everybody, or those of whom a claim is, or contains, a value."""

    role: Role
    claim: str | None = None
    value: str | None = None

    def holds(self, claims: Mapping[str, Any]) -> bool:
        """Whether the rule names somebody of whom these are the claims."""
        if self.claim is None:
            return True
        said = claims.get(self.claim)
        return self.value in said if isinstance(said, list) else said == self.value


@dataclass(frozen=True, slots=True)
class Flow:
    """What must be remembered of a sign-in while the provider has the browser: in a signed cookie, for ten minutes."""

    state: str
    nonce: str
    verifier: str
    began_at: float
    next: str
    again: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the provider vouches for."""

    subject: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Oidc:
    """The provider, and who of its people may come in."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    domains: frozenset[str]
    rules: tuple[Rule, ...]
    name: str = "single sign-on"

    def begin(self, next_: str, *, again: bool) -> tuple[str, Flow]:
        """Return the provider's address to send the browser to, and what to remember; raises NotVouchedFor."""
        flow = Flow(
            secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), time.time(), next_, again
        )
        more: dict[str, Any] = {"prompt": "login", "max_age": 0} if again else {}
        with self._client() as client:
            address, _ = client.create_authorization_url(
                self._metadata(client)["authorization_endpoint"],
                state=flow.state,
                nonce=flow.nonce,
                code_verifier=flow.verifier,
                **more,
            )
        return str(address), flow

    def finish(self, answer: Mapping[str, str], flow: Flow) -> Person:
        """Return whom the provider sent back; raises NotVouchedFor."""
        if not secrets.compare_digest(answer.get("state", ""), flow.state):
            raise NotVouchedFor("that answer belongs to no sign-in that this browser began: begin again")
        if answer.get("iss", self.issuer) != self.issuer:
            raise NotVouchedFor("that answer came from another provider: begin again")
        if "code" not in answer:
            raise NotVouchedFor("the identity provider did not sign you in: begin again, or ask who runs it")
        with self._client() as client:
            metadata = self._metadata(client)
            token = _asked(
                lambda: client.fetch_token(
                    metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=answer["code"],
                    code_verifier=flow.verifier,
                    redirect_uri=self.redirect_uri,
                )
            )
            claims = self._claims(client, metadata, token, flow)
            return self._admit(claims)

    def _admit(self, claims: Mapping[str, Any]) -> Person:
        email = str(claims.get("email") or "").lower() if claims.get("email_verified") is True else ""
        if self.domains and email.rpartition("@")[2] not in self.domains:
            raise NotVouchedFor("your address is verified for none of the domains that may sign in here")
        role = next((rule.role for rule in self.rules if rule.holds(claims)), None)
        if role is None:
            raise NotVouchedFor(
                "the identity provider knows you, and nothing that it says of you gives you a role here"
            )
        name = email or str(claims.get("preferred_username") or "").lower()
        if not name:
            raise NotVouchedFor("the identity provider tells no verified address and no name of yours")
        return Person(str(claims["sub"]), name, role)

    def _claims(self, client: Any, metadata: Mapping[str, Any], token: Mapping[str, Any], flow: Flow) -> dict[str, Any]:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet
        from joserfc.jws import JWSRegistry

        keys = _asked(
            lambda: client.request("GET", metadata["jwks_uri"], withhold_token=True).raise_for_status().json()
        )
        wanted = {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self.client_id}}
        proof = {"nonce": flow.nonce, "client_id": self.client_id, "access_token": token.get("access_token")}
        registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        try:
            signed = jwt.decode(str(token.get("id_token", "")), KeySet.import_key_set(keys), registry=registry)
            claims = CodeIDToken(signed.claims, signed.header, wanted, proof | ({"max_age": 1} if flow.again else {}))
            claims.validate(leeway=LEEWAY)
        except (JoseError, ValueError, KeyError, TypeError):
            raise NotVouchedFor("what the identity provider says of you cannot be verified: begin again") from None
        if flow.again and claims["auth_time"] < flow.began_at - LEEWAY:
            raise NotVouchedFor("the identity provider did not ask you again who you are")
        told = dict(claims)
        if "userinfo_endpoint" in metadata and (
            "email" not in told or any(r.claim not in told for r in self.rules if r.claim)
        ):
            more = _asked(lambda: client.get(metadata["userinfo_endpoint"]).raise_for_status().json())
            if more.get("sub") == told["sub"]:
                told = {**more, **told}
        return told

    def _metadata(self, client: Any) -> dict[str, Any]:
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        found: dict[str, Any] = _asked(
            lambda: client.request("GET", address, withhold_token=True).raise_for_status().json()
        )
        if found.get("issuer") != self.issuer:
            raise NotVouchedFor("the identity provider has another name than the settings say")
        return found

    def _client(self) -> Any:
        from authlib.integrations.httpx_client import OAuth2Client

        return OAuth2Client(
            self.client_id,
            self.client_secret or None,
            scope=SCOPE,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT,
        )


def read_rules(written: str) -> tuple[Rule, ...]:
    """Read `claim=value:role, …, *:role`, the first that holds decides; raises ValueError with what is wrong."""
    rules = []
    for part in filter(None, (each.strip() for each in written.split(","))):
        found = RULE.fullmatch(part)
        if not found or found["role"] not in ROLES:
            raise ValueError(
                f"{part!r} is no rule: write claim=value:role or *:role, with a role of {', '.join(ROLES)}"
            )
        rules.append(Rule(Role(found["role"]), found["claim"], found["value"]))
    return tuple(rules)


def is_safe(address: str) -> bool:
    """Whether what is said to an address cannot be read on the way."""
    parts = urlsplit(address)
    return bool(parts.netloc) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))


def _asked(ask: Any) -> Any:
    """Return what the provider answers; raises NotVouchedFor where it does not, without its words."""
    from authlib.common.errors import AuthlibBaseError
    from httpx2 import HTTPError

    try:
        return ask()
    except (HTTPError, AuthlibBaseError, ValueError):
        raise NotVouchedFor("the identity provider does not answer as it should: try again in a moment") from None
