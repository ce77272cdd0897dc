"""Signing in, and who is signed in with which session."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError

from ledger import passwords
from ledger.audit import Actor
from ledger.operate import BAD_INPUT, Refused, ask, said
from models.operators import Role

IDLE = timedelta(hours=2)
"""Unused for so long, a session has ended."""
TRY = text("SELECT ledger.sign_in_try_v1(:address, :name)")
PASSWORD_OF = text("SELECT id, password FROM ledger.password_of_v1(:name)")
REHASH = text("SELECT ledger.rehash_v1(:id, :was, :password)")
BEGIN = text("SELECT name, role FROM ledger.begin_session_v1(:id, :digest, :instead_of, :address, :name)")
PROVIDED = text("SELECT ledger.provided_operator_v1(:name, :role, :subject)")
SESSION = text("SELECT name, role, made_at FROM ledger.session_v1(:digest, :idle, :asked)")
ACTING = text("SELECT name, role, made_at FROM ledger.acting_v1(:digest, :idle)")
END = text("SELECT ledger.end_session_v1(:digest)")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a session is, and when they last proved it."""

    actor: Actor
    proved_at: datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """Whose password is asked for, and the hash that it is compared with."""

    operator_id: UUID
    stored: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Trying:
    """From where somebody tries to sign in, and as whom: keyed digests, so that neither is stored."""

    address: str = field(repr=False)
    name: str = field(repr=False)

    @property
    def values(self) -> dict[str, object]:
        """Return it as the parameters of a statement."""
        return {"address": self.address, "name": self.name}


def new_secret() -> str:
    """Return the secret of a new session, of 256 random bits."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> bytes:
    """Return what is stored of a session's secret; it is random, so a slow hash would protect it no better."""
    return hashlib.sha256(secret.encode()).digest()


def must_wait(db: Connection, trying: Trying) -> int:
    """Count a try; returns the seconds to wait before it may be made, 0 if it may be. Commit before going on."""
    return int(db.execute(TRY, trying.values).scalar_one())


def password_of(db: Connection, name: str) -> Proof | None:
    """Return what a password is to be compared with; None where nobody signs in with one under this name."""
    row = db.execute(PASSWORD_OF, {"name": name}).one_or_none()
    return None if row is None else Proof(row.id, row.password)


def rehash(db: Connection, proof: Proof, password: str) -> None:
    """Store a password that has just proved right under today's cost."""
    if passwords.outdated(proof.stored):
        better = passwords.hash_again(password)
        db.execute(REHASH, {"id": proof.operator_id, "was": proof.stored, "password": better})


def provided(db: Connection, name: str, role: Role, issuer: str, subject: str) -> UUID:
    """Return the operator that an identity provider vouches for, made when they first come; raises Refused."""
    of = hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()
    operator_id: UUID = ask(db, PROVIDED, {"name": name, "role": str(role), "subject": of})
    return operator_id


def begin(db: Connection, operator_id: UUID, secret: str, instead_of: str | None, trying: Trying) -> Actor:
    """Begin a session of an operator who has proved who they are, in place of another; raises Refused if disabled."""
    old = digest_of(instead_of) if instead_of else None
    known = {"id": operator_id, "digest": digest_of(secret), "instead_of": old, **trying.values}
    try:
        row = db.execute(BEGIN, known).one()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == BAD_INPUT:
            raise Refused(said(error)) from None
        raise
    return Actor(row.name, Role(row.role))


def who(db: Connection, digest: bytes, *, asked: bool) -> SignedIn | None:
    """Return who a session is, None if it is none or has ended; `asked` says that they, and not a page, asked."""
    return _signed_in(db.execute(SESSION, {"digest": digest, "idle": IDLE, "asked": asked}).one_or_none())


def who_acts(db: Connection, digest: bytes) -> SignedIn | None:
    """Return who a session is; until the transaction ends neither the session nor the role does."""
    return _signed_in(db.execute(ACTING, {"digest": digest, "idle": IDLE}).one_or_none())


def end(db: Connection, digest: bytes) -> None:
    """Sign out."""
    db.execute(END, {"digest": digest})


def _signed_in(row: Row[Any] | None) -> SignedIn | None:
    return None if row is None else SignedIn(Actor(row.name, Role(row.role)), row.made_at)
