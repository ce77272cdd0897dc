"""The businesses, the people who sign in, and who of them works where."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from models.answers import at
from models.base import NEW_ID, NOW, PlatformRow, TenantRow
from models.data_map import (
    About,
    Because,
    Category,
    CountryPeriod,
    Delete,
    Keep,
    LastOut,
    Life,
    Matching,
    May,
    NoOne,
    WhileActive,
    Who,
)
from models.forms import code
from models.kinds import (
    BusinessName,
    Country,
    Day,
    EmailAddress,
    Flag,
    Id,
    Moment,
    Period,
    PersonName,
    PhoneNumber,
    UserId,
    Word,
    Zone,
)

SHORTEST, LONGEST = "interval '1 day'", "interval '100 years'"


class Role(StrEnum):
    """What a member may do in the business."""

    OWNER = "owner"
    STAFF = "staff"


class Business(PlatformRow, because="it is the tenant itself"):
    """A business that has its calls and messages answered."""

    __tablename__ = "businesses"
    __table_args__ = (
        # What is kept for less would be gone before it was heard, summed up and counted.
        CheckConstraint(f"keep_conversations BETWEEN {SHORTEST} AND {LONGEST}", name="keep_conversations"),
        CheckConstraint(f"keep_recordings BETWEEN {SHORTEST} AND {LONGEST}", name="keep_recordings"),
    )
    __life__ = Life(
        category=Category.ACCOUNT,
        links=(NoOne(because="it names a business; the people in it are members"),),
        after_cancellation=(
            Keep(
                because=Because.BILLING,
                only=(
                    "country",
                    "zone",
                    "alert_details",
                    "recording_on",
                    "created_at",
                    "ended_at",
                    "erasing_at",
                    "erased_at",
                    "keep_until",
                ),
                until="the last of its records that is kept",
            ),
        ),
        ends=CountryPeriod(because=Because.BILLING, since="ended_at"),
    )
    __visible__ = "id = (SELECT nexara.scope())"
    __web__ = (May.READ, May.ADD, May.CHANGE)
    __job__ = (May.READ, May.CHANGE, May.REMOVE)

    id: Mapped[Id] = mapped_column(primary_key=True, server_default=NEW_ID)
    name: Mapped[BusinessName]
    industry: Mapped[Word | None]
    country: Mapped[Country]
    zone: Mapped[Zone] = mapped_column(server_default=text("'UTC'"))
    recording_on: Mapped[Flag] = mapped_column(server_default=false())
    alert_details: Mapped[Flag] = mapped_column(server_default=false())
    keep_conversations: Mapped[Period | None]
    keep_recordings: Mapped[Period | None]
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)
    ended_at: Mapped[Moment | None]
    erasing_at: Mapped[Moment | None]
    erased_at: Mapped[Moment | None]
    keep_until: Mapped[Day | None]


class User(PlatformRow, because="one person may be a member of several businesses"):
    """Someone who signs in; the id is that of Supabase Auth, where the password hash lies."""

    __tablename__ = "users"
    __life__ = Life(
        category=Category.ACCOUNT,
        links=(Matching(column="id", finds="members.user_id", then=(LastOut(among=("members",)),)),),
        after_cancellation=(Delete(),),
        ends=WhileActive(),
    )
    __visible__ = "id IN (SELECT user_id FROM nexara.members)"
    __enters__ = "true"
    __web__ = (May.READ, May.ADD, May.CHANGE)
    __job__ = (May.READ,)

    id: Mapped[Id] = mapped_column(primary_key=True)
    email: Mapped[EmailAddress] = mapped_column(unique=True)
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)


class Member(TenantRow):
    """Someone who works in a business: whom calls are put through to and alerts are sent to."""

    __tablename__ = "members"
    __table_args__ = (UniqueConstraint("business_id", "user_id"),)
    __life__ = Life(
        category=Category.ACCOUNT,
        links=(About(column="id", who=Who.MEMBER, then=(Delete(),)),),
        after_cancellation=(Delete(),),
        ends=WhileActive(),
    )

    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id"), info=at("supabase", "user"))
    name: Mapped[PersonName | None]
    transfer_phone: Mapped[PhoneNumber | None]
    role: Mapped[Role] = code(Role)
    alerts: Mapped[Flag] = mapped_column(server_default=true())
    product_mail: Mapped[Flag] = mapped_column(server_default=true())
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)
