"""What a business used and what it subscribed to; neither knows a caller."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NOW, TenantRow, link
from models.conversations import Channel, Direction
from models.data_map import Because, Category, CountryPeriod, Keep, Life, May, NoOne
from models.forms import code
from models.kinds import AccountRef, Day, Difference, Digest, Id, Moment

BILLING_PERIOD = "the country's period for billing records"


class Unit(StrEnum):
    """What is counted."""

    CALL_SECOND = "call_second"
    MESSAGE = "message"


class SubscriptionStatus(StrEnum):
    """The states of a subscription at Lemon Squeezy, in its own words."""

    ON_TRIAL = "on_trial"
    ACTIVE = "active"
    PAUSED = "paused"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Meter(TenantRow):
    """What one call or message cost in seconds or pieces; no link leads from here to who called."""

    __tablename__ = "meter"
    __table_args__ = (
        link("correction_of", "meter"),
        Index(
            "uq_meter_business_id_event_key",
            "business_id",
            "event_key",
            unique=True,
            postgresql_where=text("correction_of IS NULL"),
        ),
        # Only a correction takes away.
        CheckConstraint("quantity >= 0 OR correction_of IS NOT NULL", name="quantity"),
    )
    __life__ = Life(
        category=Category.USAGE,
        links=(NoOne(because="it holds a vendor's id as a digest, a quantity and a time"),),
        after_cancellation=(
            Keep(
                because=Because.BILLING,
                only=("event_key", "source", "unit", "direction", "quantity", "at", "correction_of", "keep_until"),
                until=BILLING_PERIOD,
            ),
        ),
        ends=CountryPeriod(because=Because.BILLING, since="at"),
        event_time="at",
        restricted="shown",
    )
    __web__ = (May.READ,)
    __job__ = (May.READ, May.ADD, May.CHANGE, May.REMOVE)

    event_key: Mapped[Digest]
    source: Mapped[Channel] = code(Channel)
    unit: Mapped[Unit] = code(Unit)
    direction: Mapped[Direction | None] = code(Direction)
    quantity: Mapped[Difference]
    at: Mapped[Moment]
    correction_of: Mapped[Id | None]
    keep_until: Mapped[Day | None]


class Subscription(TenantRow):
    """What a business subscribed to; Lemon Squeezy is the seller and keeps the invoices."""

    __tablename__ = "subscriptions"
    __table_args__ = (UniqueConstraint("business_id", "subscription_ref"),)
    __life__ = Life(
        category=Category.ACCOUNT,
        links=(NoOne(because="it holds ids of the business at the seller"),),
        after_cancellation=(
            Keep(
                because=Because.BILLING,
                only=("subscription_ref", "customer_ref", "status", "created_at", "ends_at", "keep_until"),
                until=BILLING_PERIOD,
            ),
        ),
        ends=CountryPeriod(because=Because.BILLING, since="ends_at"),
        restricted="shown",
    )
    __web__ = (May.READ, May.ADD, May.CHANGE)
    __job__ = (May.READ, May.CHANGE, May.REMOVE)

    subscription_ref: Mapped[AccountRef]
    customer_ref: Mapped[AccountRef]
    status: Mapped[SubscriptionStatus] = code(SubscriptionStatus)
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)
    ends_at: Mapped[Moment | None]
    keep_until: Mapped[Day | None]
