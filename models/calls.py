"""Telephone calls and the legs they had."""

from enum import StrEnum

from sqlalchemy import UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from models.answers import at, at_in
from models.base import NOW, TenantRow, link
from models.data_map import About, Category, Delete, Life, Through, Unlink, Who, WithParent
from models.forms import code
from models.kinds import Digest, Flag, Id, Moment, VendorRef, WholeSeconds


class Carrier(StrEnum):
    """The vendors that carry calls."""

    TWILIO = "twilio"
    TELNYX = "telnyx"
    VAPI = "vapi"


class Call(TenantRow):
    """The telephone side of a conversation: from what number, on which line, how long."""

    __tablename__ = "calls"
    __table_args__ = (
        link("conversation_id", "conversations"),
        link("from_identifier_id", "identifiers", unlink=True),
        link("line_id", "phone_lines", unlink=True),
        UniqueConstraint("business_id", "conversation_id"),
        UniqueConstraint("business_id", "event_key"),
    )
    __life__ = Life(
        category=Category.COMMUNICATION,
        links=(Through(column="conversation_id"),),
        after_cancellation=(Delete(),),
        ends=WithParent(),
    )

    conversation_id: Mapped[Id]
    from_identifier_id: Mapped[Id | None]
    line_id: Mapped[Id | None]
    seconds: Mapped[WholeSeconds | None]
    recorded: Mapped[Flag] = mapped_column(server_default=false())
    twilio_ref: Mapped[VendorRef | None] = mapped_column(info=at("twilio", "call"))
    telnyx_ref: Mapped[VendorRef | None] = mapped_column(info=at("telnyx", "call"))
    vapi_ref: Mapped[VendorRef | None] = mapped_column(info=at("vapi", "call"))
    elevenlabs_ref: Mapped[VendorRef | None] = mapped_column(info=at("elevenlabs", "conversation"))
    event_key: Mapped[Digest]


class CallLeg(TenantRow):
    """One stretch of a call: with the assistant, or put through to a member."""

    __tablename__ = "call_legs"
    __table_args__ = (link("call_id", "calls"), link("member_id", "members", unlink=True))
    __life__ = Life(
        category=Category.COMMUNICATION,
        links=(Through(column="call_id"), About(column="member_id", who=Who.MEMBER, then=(Unlink(),))),
        after_cancellation=(Delete(),),
        ends=WithParent(),
        event_time="started_at",
    )

    call_id: Mapped[Id]
    member_id: Mapped[Id | None]
    carrier: Mapped[Carrier | None] = code(Carrier)
    child_ref: Mapped[VendorRef | None] = mapped_column(info=at_in("carrier", "call", "call_id"))
    started_at: Mapped[Moment] = mapped_column(server_default=NOW)
    ended_at: Mapped[Moment | None]
