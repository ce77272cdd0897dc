"""What happened in the product: used, secured, sent to us by vendors."""

from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.answers import of
from models.base import NEW_ID, NOW, PlatformRow, TenantRow, link
from models.data_map import (
    About,
    Because,
    Category,
    Count,
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
from models.forms import code, props
from models.kinds import CutAddress, Digest, Id, Moment, RawPayload, Word
from models.periods import PRODUCT_EVENTS, RAW_EVENTS, SECURITY_EVENTS


class Security(StrEnum):
    """What is worth remembering for security's sake."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - what happened, not a password
    KEY_MADE = "key_made"
    KEY_REVOKED = "key_revoked"
    REFUSED = "refused"
    LIMITED = "limited"


class Provider(StrEnum):
    """The vendors that send us events."""

    TWILIO = "twilio"
    TELNYX = "telnyx"
    VAPI = "vapi"
    META = "meta"
    DIALOG360 = "360dialog"
    LEMON_SQUEEZY = "lemon_squeezy"
    RESEND = "resend"
    ELEVENLABS = "elevenlabs"


class ProductEvent(TenantRow):
    """A member or a visitor did something in the product."""

    __tablename__ = "product_events"
    __table_args__ = (link("member_id", "members"), link("visitor_id", "visitors"))
    __life__ = Life(
        category=Category.USAGE,
        links=(About(column="member_id", who=Who.MEMBER, then=(Delete(),)), Through(column="visitor_id")),
        after_cancellation=(Count(into="activity", by=("name",)), Delete()),
        ends=Expires(after=PRODUCT_EVENTS, since="at"),
        event_time="at",
    )
    __web__ = (May.READ, May.ADD)
    __job__ = (May.READ, May.REMOVE)

    member_id: Mapped[Id | None]
    visitor_id: Mapped[Id | None]
    name: Mapped[Word]
    props: Mapped[dict[str, Any]] = props("page", "feature", "plan", "source", "count")
    at: Mapped[Moment] = mapped_column(server_default=NOW)


class SecurityEvent(PlatformRow, because="a failed sign-in belongs to no business"):
    """Something that security must remember: a sign-in, a refusal, a key that was made."""

    __tablename__ = "security_events"
    __life__ = Life(
        category=Category.USAGE,
        links=(
            Matching(
                column="user_id",
                finds="users.id",
                then=(
                    Keep(
                        because=Because.SECURITY,
                        only=("business_id", "user_id", "event", "cut_ip", "at"),
                        until="12 months after the event",
                    ),
                ),
            ),
        ),
        after_cancellation=(
            Keep(
                because=Because.SECURITY,
                only=("business_id", "user_id", "event", "cut_ip", "at"),
                until="12 months after the event",
            ),
        ),
        ends=Expires(after=SECURITY_EVENTS, since="at"),
        event_time="at",
        restricted="shown",
    )
    __enters__ = "business_id IS NULL OR business_id = (SELECT nexara.scope())"
    __web__ = (May.ADD,)
    __job__ = (May.READ, May.REMOVE)

    id: Mapped[Id] = mapped_column(primary_key=True, server_default=NEW_ID)
    business_id: Mapped[Id | None]
    user_id: Mapped[Id | None]
    event: Mapped[Security] = code(Security)
    cut_ip: Mapped[CutAddress | None] = mapped_column(info=of("user_id"))
    at: Mapped[Moment] = mapped_column(server_default=NOW)


class ProviderEvent(PlatformRow, because="until it is parsed, nobody knows whose it is"):
    """A vendor's message as it came; parsing takes what it says and empties it."""

    __tablename__ = "provider_events"
    __table_args__ = (
        CheckConstraint("parsed_at IS NULL OR payload IS NULL", name="emptied"),
        # An erasure reads those of its business, and nobody's yet, for whom they name.
        Index(None, "business_id"),
    )
    __life__ = Life(
        category=Category.COMMUNICATION,
        links=(Matching(column="payload", finds=Finds.TEXT, then=(Delete(),)),),
        after_cancellation=(Delete(),),
        ends=Expires(after=RAW_EVENTS, since="received_at"),
        event_time="received_at",
    )
    __enters__ = "true"
    __web__ = (May.ADD,)
    __job__ = (May.READ, May.REMOVE)

    id: Mapped[Id] = mapped_column(primary_key=True, server_default=NEW_ID)
    business_id: Mapped[Id | None]
    provider: Mapped[Provider] = code(Provider)
    event_key: Mapped[Digest] = mapped_column(unique=True)
    payload: Mapped[RawPayload | None]
    received_at: Mapped[Moment] = mapped_column(server_default=NOW)
    parsed_at: Mapped[Moment | None]
