"""What a conversation came to: its summary, and what the person wanted."""

from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.answers import of
from models.base import NOW, TenantRow, link
from models.data_map import (
    About,
    Category,
    Count,
    Delete,
    Life,
    May,
    Through,
    Unlink,
    WhileActive,
    Who,
    WithParent,
)
from models.forms import code
from models.kinds import (
    Count as Number,
)
from models.kinds import (
    DerivedText,
    EmailAddress,
    Id,
    IdList,
    Moment,
    PersonalText,
    PersonName,
    PhoneNumber,
    Word,
)


class Intent(StrEnum):
    """What a person wanted."""

    BOOKING = "booking"
    QUOTE = "quote"
    QUESTION = "question"
    COMPLAINT = "complaint"
    CANCELLATION = "cancellation"
    CALLBACK = "callback"
    OTHER = "other"


class Urgency(StrEnum):
    """How soon it must be dealt with."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    EMERGENCY = "emergency"


class Summary(TenantRow):
    """A conversation in a few sentences, by Anthropic's model, and what it was made from."""

    __tablename__ = "summaries"
    __table_args__ = (
        link("conversation_id", "conversations"),
        UniqueConstraint("business_id", "conversation_id"),
    )
    __life__ = Life(
        category=Category.COMMUNICATION,
        links=(Through(column="conversation_id", derived=True),),
        after_cancellation=(Delete(),),
        ends=WithParent(),
        event_time="created_at",
    )
    __web__ = (May.READ, May.REMOVE)

    conversation_id: Mapped[Id]
    body: Mapped[DerivedText] = mapped_column(info=of("conversation_id", made_from="recordings"))
    derived_from: Mapped[IdList]
    model: Mapped[Word]
    input_tokens: Mapped[Number]
    output_tokens: Mapped[Number]
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)


class Lead(TenantRow):
    """What a person wanted and how to reach them; it outlives the conversation it came from."""

    __tablename__ = "leads"
    __table_args__ = (
        link("person_id", "people"),
        link("conversation_id", "conversations", unlink=True),
        link("assigned_to", "members", unlink=True),
        UniqueConstraint("business_id", "conversation_id"),
    )
    __life__ = Life(
        category=Category.BUSINESS,
        links=(
            About(column="person_id", then=(Delete(),)),
            About(column="assigned_to", who=Who.MEMBER, then=(Unlink(),)),
        ),
        after_cancellation=(Count(into="activity", by=("intent",)), Delete()),
        ends=WhileActive(),
        event_time="created_at",
    )

    person_id: Mapped[Id]
    conversation_id: Mapped[Id | None]
    assigned_to: Mapped[Id | None]
    name: Mapped[PersonName | None] = mapped_column(info=of("person_id"))
    phone: Mapped[PhoneNumber | None] = mapped_column(info=of("person_id"))
    email: Mapped[EmailAddress | None] = mapped_column(info=of("person_id"))
    intent: Mapped[Intent] = code(Intent)
    urgency: Mapped[Urgency] = code(Urgency)
    requested_at: Mapped[Moment | None]
    verbatim: Mapped[PersonalText | None] = mapped_column(info=of("person_id", made_from="recordings"))
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)
