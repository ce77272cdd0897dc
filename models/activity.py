"""What remains of people's rows when they are gone: counts of enough people of enough businesses, a month at a time."""

from sqlalchemy.orm import Mapped, mapped_column

from models.base import NOW, PlatformRow
from models.data_map import Category, Life, Never, NoOne
from models.kinds import Count, Day, Moment, Word

LIFE = Life(
    category=Category.USAGE,
    links=(NoOne(because="no cell counts fewer than 10 people of 5 businesses, and none is mostly one business's"),),
    after_cancellation=(),
    ends=Never(because="it is about nobody"),
    restricted="shown",
)


class Activity(PlatformRow, because="it is counted over businesses, and tells none apart"):
    """How many people of how many businesses did what in a closed month; written once, with no totals beside it."""

    __tablename__ = "activity"
    __life__ = LIFE

    month: Mapped[Day] = mapped_column(primary_key=True)
    industry: Mapped[Word] = mapped_column(primary_key=True)
    channel: Mapped[Word] = mapped_column(primary_key=True)
    outcome: Mapped[Word] = mapped_column(primary_key=True)
    people: Mapped[Count]
    businesses: Mapped[Count]
    conversations: Mapped[Count]
    seconds: Mapped[Count]


class ActivityMonth(PlatformRow, because="a month is the same for every business"):
    """A month that has been counted: it is never counted again, or what an erasure took away would show."""

    __tablename__ = "activity_months"
    __life__ = LIFE

    month: Mapped[Day] = mapped_column(primary_key=True)
    counted_at: Mapped[Moment] = mapped_column(server_default=NOW)
