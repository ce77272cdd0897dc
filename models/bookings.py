"""Appointments and tasks."""

from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from models.answers import at, of
from models.base import NOW, TenantRow, link
from models.data_map import About, Category, Delete, Life, Unlink, WhileActive, Who
from models.forms import code
from models.kinds import Id, Moment, PersonalText, PersonName, VendorRef


class BookingState(StrEnum):
    """Where an appointment is."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class Booking(TenantRow):
    """An appointment: for whom, made by whom, with whom. A third party is a person without identifiers."""

    __tablename__ = "bookings"
    __table_args__ = (
        link("guest_id", "people"),
        link("booked_by_id", "people", unlink=True),
        link("staff_id", "members", unlink=True),
    )
    __life__ = Life(
        category=Category.BUSINESS,
        links=(
            About(column="guest_id", then=(Delete(),)),
            About(column="booked_by_id", then=(Unlink(),)),
            About(column="staff_id", who=Who.MEMBER, then=(Unlink(),)),
        ),
        after_cancellation=(Delete(),),
        ends=WhileActive(),
        event_time="created_at",
        # A hidden booking would let its slot be booked twice.
        restricted="masked",
    )

    guest_id: Mapped[Id]
    booked_by_id: Mapped[Id | None]
    staff_id: Mapped[Id | None]
    guest_name: Mapped[PersonName | None] = mapped_column(info=of("guest_id"))
    note: Mapped[PersonalText | None] = mapped_column(info=of("guest_id"))
    starts_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    state: Mapped[BookingState] = code(BookingState)
    google_event: Mapped[VendorRef | None] = mapped_column(info=at("google", "event", "guest_id"))
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)


class Task(TenantRow):
    """Something that a member is to do, perhaps about a person."""

    __tablename__ = "tasks"
    __table_args__ = (link("person_id", "people"), link("member_id", "members", unlink=True))
    __life__ = Life(
        category=Category.BUSINESS,
        links=(
            About(column="person_id", then=(Delete(),)),
            About(column="member_id", who=Who.MEMBER, then=(Unlink(),)),
        ),
        after_cancellation=(Delete(),),
        ends=WhileActive(),
        event_time="created_at",
    )

    person_id: Mapped[Id | None]
    member_id: Mapped[Id | None]
    text: Mapped[PersonalText] = mapped_column(info=of("person_id"))
    due_at: Mapped[Moment | None]
    done_at: Mapped[Moment | None]
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)
