"""What was recorded of a call, and what was heard in it."""

from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.answers import at
from models.base import NOW, TenantRow, link
from models.data_map import Category, Delete, Life, May, TenantSays, Through, WithParent
from models.forms import code, items
from models.kinds import (
    Id,
    Language,
    LapsingRef,
    Moment,
    PersonalText,
    Seconds,
    Share,
    StoredObject,
    VendorRef,
)


class RecordingState(StrEnum):
    """Where a recording is: awaited, in our bucket, not to be used, gone."""

    PENDING = "pending"
    STORED = "stored"
    UNUSABLE = "unusable"
    DELETED = "deleted"


class Recording(TenantRow):
    """The sound of one leg of a call; it may be deleted by itself while the call stays."""

    __tablename__ = "recordings"
    __table_args__ = (
        link("leg_id", "call_legs"),
        CheckConstraint("state <> 'stored' OR object IS NOT NULL", name="stored"),
    )
    __life__ = Life(
        category=Category.COMMUNICATION,
        links=(Through(column="leg_id"),),
        after_cancellation=(Delete(),),
        ends=TenantSays(setting="keep_recordings", since="created_at"),
        event_time="created_at",
    )

    leg_id: Mapped[Id]
    object: Mapped[StoredObject | None] = mapped_column(info=at("objects", "recording"))
    state: Mapped[RecordingState] = code(RecordingState)
    seconds: Mapped[Seconds | None]
    twilio_ref: Mapped[VendorRef | None] = mapped_column(info=at("twilio", "recording"))
    telnyx_ref: Mapped[VendorRef | None] = mapped_column(info=at("telnyx", "recording"))
    vapi_ref: Mapped[VendorRef | None] = mapped_column(info=at("vapi", "recording"))
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)
    stored_at: Mapped[Moment | None]


class Transcript(TenantRow):
    """What was said in a recording, as Deepgram heard it; `segments` says who and when."""

    __tablename__ = "transcripts"
    __table_args__ = (link("recording_id", "recordings"), UniqueConstraint("business_id", "recording_id"))
    __life__ = Life(
        category=Category.COMMUNICATION,
        links=(Through(column="recording_id", derived=True),),
        after_cancellation=(Delete(),),
        ends=WithParent(),
        event_time="created_at",
    )
    __web__ = (May.READ, May.REMOVE)

    recording_id: Mapped[Id]
    body: Mapped[PersonalText]
    segments: Mapped[list[dict[str, Any]]] = items(
        "channel", "speaker", "start", "end", "text", what="who said what from when to when"
    )
    language: Mapped[Language | None]
    seconds: Mapped[Seconds]
    confidence: Mapped[Share | None]
    request_ref: Mapped[LapsingRef | None]
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)
