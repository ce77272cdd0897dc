"""The people who call and write, what they are reached by, and what a business notes about them."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.answers import of, was
from models.base import NOW, TenantRow, link
from models.data_map import About, Category, Delete, Expires, Life, Unlink, WhileActive, Who, WithParent
from models.forms import code
from models.kinds import (
    Browser,
    CutAddress,
    Id,
    KeyedDigest,
    Moment,
    PersonalText,
    PersonName,
)
from models.kinds import (
    Identifier as IdentifierValue,
)
from models.periods import MERGES, VISITORS


class IdentifierKind(StrEnum):
    """What kind of thing a person is reached by."""

    PHONE = "phone"
    EMAIL = "email"
    WA_ID = "wa_id"
    CHAT_SESSION = "chat_session"


class Proof(StrEnum):
    """How it was proved that the person holds the identifier."""

    CARRIER = "carrier"
    ANSWERED = "answered"
    SIGNED_IN = "signed_in"


NORMALISED = r"""
CASE kind
  WHEN 'phone' THEN value ~ '^\+[1-9][0-9]{6,14}$'
  WHEN 'email' THEN value = lower(value) AND value ~ '^[^\s@]+@[^\s@]+$'
  WHEN 'wa_id' THEN value ~ '^[1-9][0-9]{6,19}$'
  WHEN 'chat_session' THEN value ~ '^[0-9a-f-]{32,64}$'
END""".strip()


class Person(TenantRow):
    """A human being whom a business talks to, also one of whom nothing is known."""

    __tablename__ = "people"
    __life__ = Life(
        category=Category.COMMUNICATION,
        links=(About(column="id", then=(Delete(),)),),
        after_cancellation=(Delete(),),
        ends=WhileActive(),
    )

    created_at: Mapped[Moment] = mapped_column(server_default=NOW)


class PersonMerged(TenantRow):
    """Two people turned out to be one: which id went into which."""

    __tablename__ = "people_merged"
    __table_args__ = (link("into_id", "people"), UniqueConstraint("business_id", "from_id"))
    __life__ = Life(
        category=Category.COMMUNICATION,
        links=(About(column="into_id", then=(Delete(),)),),
        after_cancellation=(Delete(),),
        ends=Expires(after=MERGES, since="merged_at"),
    )

    from_id: Mapped[Id] = mapped_column(info=was("people"))
    into_id: Mapped[Id]
    merged_at: Mapped[Moment] = mapped_column(server_default=NOW)


class Identifier(TenantRow):
    """A number, address or session that a person used; two people may share one."""

    __tablename__ = "identifiers"
    __table_args__ = (
        link("person_id", "people"),
        UniqueConstraint("business_id", "kind", "value", "person_id"),
        CheckConstraint(NORMALISED, name="normalised"),
    )
    __life__ = Life(
        category=Category.COMMUNICATION,
        links=(About(column="person_id", then=(Delete(),)),),
        after_cancellation=(Delete(),),
        ends=WithParent(),
        event_time="first_seen",
    )

    person_id: Mapped[Id]
    kind: Mapped[IdentifierKind] = code(IdentifierKind)
    value: Mapped[IdentifierValue]
    first_seen: Mapped[Moment] = mapped_column(server_default=NOW)
    last_seen: Mapped[Moment] = mapped_column(server_default=NOW)
    proof: Mapped[Proof | None] = code(Proof)


class Visitor(TenantRow):
    """A browser in which someone opened a business's chat."""

    __tablename__ = "visitors"
    __table_args__ = (link("person_id", "people"), UniqueConstraint("business_id", "session"))
    __life__ = Life(
        category=Category.USAGE,
        links=(About(column="person_id", then=(Delete(),)),),
        after_cancellation=(Delete(),),
        ends=Expires(after=VISITORS, since="last_seen"),
        event_time="last_seen",
    )

    person_id: Mapped[Id]
    session: Mapped[KeyedDigest | None]
    browser: Mapped[Browser | None]
    cut_ip: Mapped[CutAddress | None]
    last_seen: Mapped[Moment] = mapped_column(server_default=NOW)


class Contact(TenantRow):
    """What a business keeps in its address book about a person."""

    __tablename__ = "contacts"
    __table_args__ = (link("person_id", "people"), link("assigned_to", "members", unlink=True))
    __life__ = Life(
        category=Category.BUSINESS,
        links=(
            About(column="person_id", then=(Delete(),)),
            About(column="assigned_to", who=Who.MEMBER, then=(Unlink(),)),
        ),
        after_cancellation=(Delete(),),
        ends=WhileActive(),
    )

    person_id: Mapped[Id]
    assigned_to: Mapped[Id | None]
    name: Mapped[PersonName | None] = mapped_column(info=of("person_id"))
    company: Mapped[PersonalText | None] = mapped_column(info=of("person_id"))
    notes: Mapped[PersonalText | None] = mapped_column(info=of("person_id"))
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)
