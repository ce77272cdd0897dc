"""Conversations on every channel, who took part, and the messages of those that were written."""

from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.answers import at, at_in, of
from models.base import NOW, TenantRow, link
from models.data_map import (
    About,
    Category,
    Delete,
    LastOut,
    Life,
    TenantSays,
    Through,
    Unlink,
    Who,
    WithParent,
)
from models.forms import code
from models.kinds import Digest, Id, Moment, PersonalText, StoredObject, VendorRef


class Channel(StrEnum):
    """How a conversation was held."""

    CALL = "call"
    WEB_CHAT = "web_chat"
    WHATSAPP = "whatsapp"
    SMS = "sms"


class Part(StrEnum):
    """What a person was in a conversation."""

    CALLER = "caller"
    SENDER = "sender"
    GUEST = "guest"


class Direction(StrEnum):
    """Whether a message came to the business or from it."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Carries(StrEnum):
    """The vendors that carry messages."""

    META = "meta"
    DIALOG360 = "360dialog"
    TWILIO = "twilio"
    TELNYX = "telnyx"


class Conversation(TenantRow):
    """One call or one thread of messages; it always has a person, also where the number was withheld."""

    __tablename__ = "conversations"
    __table_args__ = (
        link("person_id", "people"),
        UniqueConstraint("business_id", "event_key"),
        # The house asks of all businesses at once what ended when.
        Index("conversations_ended", "ended_at", "id", postgresql_where=text("ended_at IS NOT NULL")),
    )
    __life__ = Life(
        category=Category.COMMUNICATION,
        links=(About(column="person_id", then=(LastOut(among=("participants",)),)),),
        after_cancellation=(Delete(),),
        ends=TenantSays(setting="keep_conversations", since="started_at"),
        event_time="started_at",
    )

    person_id: Mapped[Id]
    channel: Mapped[Channel] = code(Channel)
    started_at: Mapped[Moment] = mapped_column(server_default=NOW)
    ended_at: Mapped[Moment | None]
    event_key: Mapped[Digest]


class Participant(TenantRow):
    """A person's place in a conversation that several share."""

    __tablename__ = "participants"
    __table_args__ = (
        link("conversation_id", "conversations"),
        link("person_id", "people"),
        UniqueConstraint("business_id", "conversation_id", "person_id"),
    )
    __life__ = Life(
        category=Category.COMMUNICATION,
        links=(Through(column="conversation_id"), About(column="person_id", then=(Delete(),))),
        after_cancellation=(Delete(),),
        ends=WithParent(),
    )

    conversation_id: Mapped[Id]
    person_id: Mapped[Id]
    role: Mapped[Part] = code(Part)


class Message(TenantRow):
    """One message of a web chat, WhatsApp or SMS conversation, from a person, a member or the assistant."""

    __tablename__ = "messages"
    __table_args__ = (
        link("conversation_id", "conversations"),
        link("author_id", "people"),
        link("author_member_id", "members", unlink=True),
        UniqueConstraint("business_id", "event_key"),
    )
    __life__ = Life(
        category=Category.COMMUNICATION,
        links=(
            Through(column="conversation_id"),
            About(column="author_id", then=(Delete(),)),
            About(column="author_member_id", who=Who.MEMBER, then=(Unlink(),)),
        ),
        after_cancellation=(Delete(),),
        ends=WithParent(),
        event_time="sent_at",
    )

    conversation_id: Mapped[Id]
    author_id: Mapped[Id | None]
    author_member_id: Mapped[Id | None]
    direction: Mapped[Direction] = code(Direction)
    body: Mapped[PersonalText] = mapped_column(info=of("author_id"))
    sent_at: Mapped[Moment] = mapped_column(server_default=NOW)
    carrier: Mapped[Carries | None] = code(Carries)
    ref: Mapped[VendorRef | None] = mapped_column(info=at_in("carrier", "message", "author_id"))
    event_key: Mapped[Digest]


class MessageMedia(TenantRow):
    """A picture, voice note or file that came with a message."""

    __tablename__ = "message_media"
    __table_args__ = (link("message_id", "messages"),)
    __life__ = Life(
        category=Category.COMMUNICATION,
        links=(Through(column="message_id"),),
        after_cancellation=(Delete(),),
        ends=WithParent(),
    )

    message_id: Mapped[Id]
    object: Mapped[StoredObject] = mapped_column(info=at("objects", "media"))
    carrier: Mapped[Carries | None] = code(Carries)
    ref: Mapped[VendorRef | None] = mapped_column(info=at_in("carrier", "media"))
