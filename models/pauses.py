"""Pauses of the ledger: which jobs wait, since when, who said so and why."""

from datetime import timedelta

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import PlatformRow
from models.data_map import Category, Delete, Expires, Life, NoOne
from models.kinds import Flag, Id, Moment, Word
from models.ledger import OwnWords, Serial


class Pause(PlatformRow, because="on-call pauses across businesses; business_id is empty where all wait"):
    """Jobs of a queue, a kind and a business, each where it is named, that wait until somebody resumes them."""

    __tablename__ = "pauses"
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it names what waits; who said so is an operator's name for the page"),),
        after_cancellation=(Delete(),),
        ends=Expires(after=timedelta(days=90), since="ended_at"),
    )

    id: Mapped[Serial] = mapped_column(Identity(), primary_key=True)
    queue: Mapped[Word | None]
    kind: Mapped[Word | None]
    business_id: Mapped[Id | None]
    code: Mapped[Word | None]
    since: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
    who: Mapped[OwnWords]
    why: Mapped[OwnWords]
    ended_at: Mapped[Moment | None]
    ended_by: Mapped[OwnWords | None]
    settled: Mapped[Flag] = mapped_column(server_default=text("false"))

    __table_args__ = (
        Index(
            "pauses_one_of_each",
            "queue",
            "kind",
            "business_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("pauses_to_settle", "id", postgresql_where=text("NOT settled")),
        {"schema": "ledger"},
    )
