"""How many jobs ended when and how long they took: counted from the ledger a minute later, and kept for charts."""

from datetime import timedelta
from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from models.base import PlatformRow
from models.data_map import Category, Expires, Life, Never, NoOne
from models.forms import code
from models.kinds import Moment
from models.ledger import Name, Number, Small


class Ending(StrEnum):
    """How a job ended, or `failed`: one of its attempts did, whatever became of the job."""

    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELLED = "cancelled"
    DISCARDED = "discarded"
    FAILED = "failed"


COUNTS = (NoOne(because="it counts across businesses and names none"),)


class Pace(PlatformRow, because="it counts across businesses"):
    """How many jobs of a kind ended in one minute, by how they ended; and how many attempts failed."""

    __tablename__ = "pace"
    __table_args__ = ({"schema": "ledger"},)
    __life__ = Life(
        category=Category.ENGINE,
        links=COUNTS,
        after_cancellation=(),
        ends=Expires(after=timedelta(days=8), since="minute"),
    )

    minute: Mapped[Moment] = mapped_column(primary_key=True)
    kind: Mapped[Name] = mapped_column(primary_key=True)
    outcome: Mapped[Ending] = code(Ending, primary_key=True)
    count: Mapped[Number]


class Duration(PlatformRow, because="it counts across businesses"):
    """How many jobs of a kind that succeeded in one hour took about as long: bucket b begins at 2^(b/4) ms."""

    __tablename__ = "durations"
    __table_args__ = ({"schema": "ledger"},)
    __life__ = Life(
        category=Category.ENGINE,
        links=COUNTS,
        after_cancellation=(),
        ends=Expires(after=timedelta(days=8), since="hour"),
    )

    hour: Mapped[Moment] = mapped_column(primary_key=True)
    kind: Mapped[Name] = mapped_column(primary_key=True)
    bucket: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[Number]


class PaceUntil(PlatformRow, because="a cursor of the dispatcher"):
    """Up to which moment what ended has been counted."""

    __tablename__ = "pace_until"
    __table_args__ = ({"schema": "ledger", "postgresql_with": {"fillfactor": "50"}},)
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it is a cursor"),),
        after_cancellation=(),
        ends=Never(because="one row, overwritten"),
    )

    id: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    until: Mapped[Moment]
