"""Who is on call: what each may do, the sessions they are signed in with, and the tries of whoever wants to be."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.answers import of
from models.base import NEW_ID, NOW, PlatformRow
from models.data_map import About, Category, Delete, Expires, Holds, Life, Matching, Scrub, Scrubs, Who
from models.forms import code
from models.keys import SecretDigest
from models.kinds import NONE, Digest, Id, KeyedDigest, Moment, kind, personal
from models.ledger import Number
from models.periods import AUDIT


class Role(StrEnum):
    """What somebody is; see `ledger/audit.py` for what that lets them do."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    PRIVACY_OFFICER = "privacy_officer"
    ADMIN = "admin"
    CLI = "cli"  # whoever runs `nexara` with the dashboard's own login: no operator has this role


ROLES = (Role.VIEWER, Role.OPERATOR, Role.PRIVACY_OFFICER, Role.ADMIN)
"""Those that an operator may have."""

OperatorName = Annotated[
    str,
    personal(
        "OperatorName",
        "the name under which somebody of ours acts",
        scrub=Scrubs.TOKEN,
        bundles=NONE,
        check="length(VALUE) BETWEEN 1 AND 100",
    ),
]
PasswordHash = Annotated[
    str,
    kind(
        "PasswordHash",
        Text(),
        Holds(
            what="argon2id of a password, with its salt and cost",
            scrub=Scrubs.NULL,
            bundles=NONE,
            secret=True,
            check="VALUE LIKE '$argon2id$%'",
        ),
    ),
]
SESSION_LASTS = timedelta(hours=12)
"""A shift; after it, somebody signs in again however busy they are."""
TRIES_COUNT_FOR = timedelta(minutes=15)


class Operator(PlatformRow, because="on-call is of no business"):
    """Somebody of ours who may sign in to the on-call pages; without a password, through the identity provider."""

    __tablename__ = "operators"
    __life__ = Life(
        category=Category.ENGINE,
        links=(About(column="id", who=Who.STAFF, then=(Scrub(),)),),
        after_cancellation=(),
        ends=Expires(after=AUDIT, since="disabled_at"),
        event_time="created_at",
    )

    id: Mapped[Id] = mapped_column(primary_key=True, server_default=NEW_ID)
    name: Mapped[OperatorName] = mapped_column(info=of("id"), unique=True)
    role: Mapped[Role] = code(Role)
    password: Mapped[PasswordHash | None]
    subject: Mapped[Digest | None] = mapped_column(unique=True)
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)
    signed_in_at: Mapped[Moment | None]
    disabled_at: Mapped[Moment | None]

    __table_args__ = (
        CheckConstraint("role <> 'cli'", name="somebody"),
        {"schema": "ledger"},
    )


class Session(PlatformRow, because="an operator's"):
    """One browser in which an operator is signed in; the secret that proves it is nowhere but there."""

    __tablename__ = "sessions"
    __life__ = Life(
        category=Category.ENGINE,
        links=(About(column="operator_id", who=Who.STAFF, then=(Delete(),)),),
        after_cancellation=(),
        ends=Expires(after=SESSION_LASTS, since="made_at"),
        event_time="made_at",
    )

    digest: Mapped[SecretDigest] = mapped_column(primary_key=True)
    operator_id: Mapped[Id] = mapped_column(ForeignKey("ledger.operators.id"))
    made_at: Mapped[Moment] = mapped_column(server_default=NOW)
    seen_at: Mapped[Moment] = mapped_column(server_default=NOW)

    __table_args__ = (
        Index("sessions_of_operator", "operator_id"),
        {"schema": "ledger"},
    )


class SignInTry(PlatformRow, because="who it is that tries, nobody knows yet"):
    """How often a name, or an address, has tried to sign in of late: keyed digests of either."""

    __tablename__ = "sign_in_tries"
    __life__ = Life(
        category=Category.ENGINE,
        links=(Matching(column="key", finds="the keyed digest of an operator's name or address", then=(Delete(),)),),
        after_cancellation=(),
        ends=Expires(after=TRIES_COUNT_FOR, since="since"),
    )

    key: Mapped[KeyedDigest] = mapped_column(primary_key=True, info=of("key"))
    count: Mapped[Number] = mapped_column(server_default=text("1"))
    since: Mapped[Moment] = mapped_column(server_default=NOW)

    __table_args__ = ({"schema": "ledger"},)
