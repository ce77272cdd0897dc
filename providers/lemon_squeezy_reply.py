"""What Lemon Squeezy answers, cut down to what we keep: no name, no address, no card leaves this file."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Status = Literal["on_trial", "active", "paused", "past_due", "unpaid", "cancelled", "expired"]
Aggregation = Literal["sum", "last_during_period", "last_ever", "max"]
Action = Literal["increment", "set"]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a business subscribed to; `ends_at` is set once it is cancelled."""

    ref: str
    customer_ref: str
    status: Status
    cancelled: bool
    trial_ends_at: datetime | None
    renews_at: datetime | None
    ends_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """One priced thing of a subscription."""

    ref: str
    price_ref: str
    usage_based: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """What is counted for an item in its running period, which begins at `start`."""

    start: datetime
    end: datetime
    quantity: int


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """One record as it was reported."""

    ref: str
    quantity: int
    action: Action
    created_at: datetime


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


Ref = Annotated[str, Field(pattern=r"^\d{1,20}$")]
Count = Annotated[int, Field(ge=0, strict=True)]


class _OfSubscription(_Part):
    customer_id: Ref
    status: Status
    cancelled: bool
    trial_ends_at: AwareDatetime | None
    renews_at: AwareDatetime | None
    ends_at: AwareDatetime | None
    updated_at: AwareDatetime


class SubscriptionData(_Part):
    """A subscription as it comes."""

    type: Literal["subscriptions"]
    id: Ref
    attributes: _OfSubscription

    def kept(self) -> Subscription:
        """Return what we keep of it."""
        of = self.attributes
        return Subscription(
            ref=self.id,
            customer_ref=of.customer_id,
            status=of.status,
            cancelled=of.cancelled,
            trial_ends_at=of.trial_ends_at,
            renews_at=of.renews_at,
            ends_at=of.ends_at,
            updated_at=of.updated_at,
        )


class SubscriptionReply(_Part):
    """One subscription."""

    data: SubscriptionData


class Subscriptions(_Part):
    """A page of them, of which the check reads that it is one."""

    data: list[object]


class _OfItem(_Part):
    price_id: Ref
    is_usage_based: bool


class _ItemData(_Part):
    type: Literal["subscription-items"]
    id: Ref
    attributes: _OfItem


class _Page(_Part):
    lastPage: Annotated[int, Field(ge=1)]  # noqa: N815 - the vendor's own word


class _PageMeta(_Part):
    page: _Page


class Items(_Part):
    """A page of items."""

    data: list[_ItemData]
    meta: _PageMeta

    def kept(self) -> list[Item]:
        """Return what we keep of it."""
        return [Item(one.id, one.attributes.price_id, one.attributes.is_usage_based) for one in self.data]


class _OfRecord(_Part):
    subscription_item_id: Ref
    quantity: Count
    action: Action
    created_at: AwareDatetime


class _RecordData(_Part):
    type: Literal["usage-records"]
    id: Ref
    attributes: _OfRecord


class RecordReply(_Part):
    """One usage record."""

    data: _RecordData

    def says(self, item: str, quantity: int, action: Action) -> bool:
        """Return whether it is what was sent."""
        of = self.data.attributes
        return (of.subscription_item_id, of.quantity, of.action) == (item, quantity, action)


class Records(_Part):
    """A page of usage records."""

    data: list[_RecordData]
    meta: _PageMeta

    def kept(self) -> list[UsageRecord]:
        """Return what we keep of it."""
        of = [(one.id, one.attributes) for one in self.data]
        return [UsageRecord(ref, one.quantity, one.action, one.created_at) for ref, one in of]


class _OfUsage(_Part):
    period_start: AwareDatetime
    period_end: AwareDatetime
    quantity: Count


class CurrentUsage(_Part):
    """The usage of the running period."""

    meta: _OfUsage

    def kept(self) -> Usage:
        """Return what we keep of it."""
        return Usage(self.meta.period_start, self.meta.period_end, self.meta.quantity)


class _OfPrice(_Part):
    usage_aggregation: Aggregation | None


class _PriceData(_Part):
    type: Literal["prices"]
    attributes: _OfPrice


class PriceReply(_Part):
    """One price."""

    data: _PriceData
