"""Mail that went out, who must get none, and what came in through our own forms."""

from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.answers import of
from models.base import NEW_ID, NOW, PlatformRow, TenantRow, link
from models.data_map import (
    About,
    Because,
    Category,
    Delete,
    Expires,
    Finds,
    Keep,
    Life,
    Matching,
    May,
    Through,
    Who,
)
from models.forms import code
from models.kinds import EmailAddress, Id, KeyedDigest, LapsingRef, Moment, PersonalText, Word
from models.periods import CONTACT_FORMS, EMAILS, SUPPRESSIONS, WAITLIST


class MailState(StrEnum):
    """Whether this attempt sent the mail, or an earlier one had."""

    SENT = "sent"
    ALREADY_SENT = "already_sent"


class Mailing(StrEnum):
    """What a suppression is about."""

    ALL = "all"
    PRODUCT = "product"


class Why(StrEnum):
    """Why someone must get no mail."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPTED_OUT = "opted_out"


class EmailSent(TenantRow):
    """A mail that went out: to whom, from which template, about what; no address, no word of it."""

    __tablename__ = "emails_sent"
    __table_args__ = (
        link("to_member", "members"),
        link("to_identifier", "identifiers"),
        link("conversation_id", "conversations", unlink=True),
        UniqueConstraint("business_id", "conversation_id", "template", "to_member"),
    )
    __life__ = Life(
        category=Category.USAGE,
        links=(About(column="to_member", who=Who.MEMBER, then=(Delete(),)), Through(column="to_identifier")),
        after_cancellation=(Delete(),),
        ends=Expires(after=EMAILS, since="sent_at"),
        event_time="sent_at",
    )
    __web__ = (May.READ,)

    to_member: Mapped[Id | None]
    to_identifier: Mapped[Id | None]
    template: Mapped[Word]
    conversation_id: Mapped[Id | None]
    resend_ref: Mapped[LapsingRef | None] = mapped_column(info=of("to_member"))
    state: Mapped[MailState] = code(MailState)
    sent_at: Mapped[Moment] = mapped_column(server_default=NOW)


KEPT = Keep(
    because=Because.OBJECTION,
    only=("business_id", "digest", "mailing", "why", "at", "released_at"),
    until="3 years after the account",
)


class Suppression(PlatformRow, because="an address that bounces does so for every business"):
    """An address, as a keyed digest, that must get no mail; without business it holds for all."""

    __tablename__ = "suppressions"
    __table_args__ = (UniqueConstraint("digest", "mailing", "business_id", postgresql_nulls_not_distinct=True),)
    __life__ = Life(
        category=Category.ACCOUNT,
        links=(Matching(column="digest", finds=Finds.EMAIL, then=(KEPT,)),),
        after_cancellation=(KEPT,),
        # Empty while the account lives: an objection doesn't lapse under someone who is still written to.
        ends=Expires(after=SUPPRESSIONS, since="released_at"),
        restricted="shown",
    )
    __visible__ = "business_id IS NULL OR business_id = (SELECT nexara.scope())"
    __web__ = (May.READ, May.ADD)
    __job__ = (May.READ, May.ADD, May.REMOVE)

    id: Mapped[Id] = mapped_column(primary_key=True, server_default=NEW_ID)
    business_id: Mapped[Id | None]
    digest: Mapped[KeyedDigest]
    mailing: Mapped[Mailing] = code(Mailing)
    why: Mapped[Why] = code(Why)
    at: Mapped[Moment] = mapped_column(server_default=NOW)
    released_at: Mapped[Moment | None]


class Waiting(PlatformRow, because="who waits has no business with us yet"):
    """Someone who asked to be told when there is room."""

    __tablename__ = "waitlist"
    __life__ = Life(
        category=Category.FORMS,
        links=(Matching(column="email", finds=Finds.EMAIL, then=(Delete(),)),),
        after_cancellation=(),
        ends=Expires(after=WAITLIST, since="created_at"),
        event_time="created_at",
    )
    __enters__ = "true"
    __web__ = (May.ADD,)
    __job__ = (May.READ, May.REMOVE)

    id: Mapped[Id] = mapped_column(primary_key=True, server_default=NEW_ID)
    email: Mapped[EmailAddress]
    text: Mapped[PersonalText | None]
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)


class ContactForm(PlatformRow, because="who writes to us through the website may be anybody"):
    """A message to us through the form on our website."""

    __tablename__ = "contact_forms"
    __life__ = Life(
        category=Category.FORMS,
        links=(Matching(column="email", finds=Finds.EMAIL, then=(Delete(),)),),
        after_cancellation=(),
        ends=Expires(after=CONTACT_FORMS, since="created_at"),
        event_time="created_at",
    )
    __enters__ = "true"
    __web__ = (May.ADD,)
    __job__ = (May.READ, May.REMOVE)

    id: Mapped[Id] = mapped_column(primary_key=True, server_default=NEW_ID)
    email: Mapped[EmailAddress]
    text: Mapped[PersonalText]
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)
