"""What a business tells its assistant: answers, a description, when it is open."""

from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NOW, TenantRow
from models.data_map import Category, Delete, Finds, Life, Matching, NoOne, Review, WhileActive
from models.forms import code
from models.kinds import BusinessText, Moment, TimeOfDay


class Chapter(StrEnum):
    """What a piece of knowledge is."""

    FAQ = "faq"
    DESCRIPTION = "description"
    SERVICE = "service"
    RULE = "rule"


class Weekday(StrEnum):
    """The days of the week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Knowledge(TenantRow):
    """A piece of what the assistant knows; the business may have named someone in it."""

    __tablename__ = "knowledge"
    __life__ = Life(
        category=Category.BUSINESS,
        links=(Matching(column="body", finds=Finds.TEXT, then=(Review(),)),),
        after_cancellation=(Delete(),),
        ends=WhileActive(),
    )

    chapter: Mapped[Chapter] = code(Chapter)
    title: Mapped[BusinessText | None]
    body: Mapped[BusinessText]
    changed_at: Mapped[Moment] = mapped_column(server_default=NOW)


class WorkingHours(TenantRow):
    """A stretch of a weekday in which the business is open."""

    __tablename__ = "working_hours"
    __table_args__ = (CheckConstraint("closes > opens", name="closes_later"),)
    __life__ = Life(
        category=Category.BUSINESS,
        links=(NoOne(because="opening hours are of the business"),),
        after_cancellation=(Delete(),),
        ends=WhileActive(),
    )

    weekday: Mapped[Weekday] = code(Weekday)
    opens: Mapped[TimeOfDay]
    closes: Mapped[TimeOfDay]
    note: Mapped[BusinessText | None]
