"""Limits of the ledger: how much of something may be in flight, how fast it may be asked, and until when not at all."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import PlatformRow
from models.data_map import Category, Delete, Life, Never, NoOne
from models.forms import code
from models.kinds import Moment, Period, Word
from models.ledger import Number, OwnWords


class Limited(StrEnum):
    """What a limit is about."""

    QUEUE = "queue"
    VENDOR = "vendor"  # all queues whose kinds wait for it
    BUSINESS = "business"  # one by its id, or each that has no limit of its own: `each`


class Limit(PlatformRow, because="vendors and queues serve all businesses; one business's limit is set by on-call"):
    """One queue, vendor or business, what it may have at once and how often, and the pause that a vendor asked for."""

    __tablename__ = "limits"
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it names a queue, a vendor or a business; who set it is an operator's name"),),
        after_cancellation=(Delete(),),
        ends=Never(because="one row each, overwritten"),
    )

    subject: Mapped[Limited] = code(Limited, primary_key=True)
    name: Mapped[Word] = mapped_column(primary_key=True)
    most: Mapped[Number | None]
    calls: Mapped[Number | None]
    per: Mapped[Period | None]
    paced_until: Mapped[Moment | None]  # up to here its calls are given away
    blocked_until: Mapped[Moment | None]
    who: Mapped[OwnWords]
    why: Mapped[OwnWords]
    since: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))

    __table_args__ = (
        CheckConstraint("most >= 0", name="most"),
        CheckConstraint("num_nonnulls(calls, per) IN (0, 2) AND calls > 0 AND per > interval '0'", name="pace"),
        {"schema": "ledger", "postgresql_with": {"fillfactor": "50"}},
    )
