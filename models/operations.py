"""Operations on many jobs at once: who asked for which and why, how far each is, and what of it is still to do."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import ARRAY, Index, Integer, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NEW_ID, PlatformRow
from models.data_map import Category, Expires, Life, NoOne, WithParent
from models.forms import code
from models.keys import Serials
from models.kinds import NONE, Flag, Id, Moment, Period, plain
from models.ledger import Ids, Number, Serial


class Action(StrEnum):
    """What an operation does to each of its jobs."""

    RETRY = "retry"
    DISCARD = "discard"


class Standing(StrEnum):
    """How far an operation is."""

    WORKING = "working"
    DONE = "done"
    CANCELLED = "cancelled"  # what had been done by then stays done


Numbers = Annotated[list[int], plain("Numbers", ARRAY(Integer()), "numbers", bundles=NONE)]
Tally = Annotated[
    dict[str, Any],
    plain("Tally", JSONB(), "how many, by a word of our source", "jsonb_typeof(VALUE) = 'object'", bundles=NONE),
]


class Operation(PlatformRow, because="on-call operates across businesses"):
    """One action on the jobs that a filter named, asked for once and done in batches.

    Who asked for it and why is in the audit's row `asked_in`; who cancelled it, in `cancelled_in`.
    """

    __tablename__ = "operations"
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it names jobs by filter; who asked for it, a row of the audit says"),),
        after_cancellation=(),
        ends=Expires(after=timedelta(days=90), since="finished_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, server_default=NEW_ID)
    action: Mapped[Action] = code(Action)
    filter: Mapped[Ids]
    asked_in: Mapped[Serial]
    created_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
    total: Mapped[Number]
    done: Mapped[Number] = mapped_column(server_default=text("0"))
    skipped: Mapped[Tally] = mapped_column(server_default=text("'{}'"))
    spread: Mapped[Period]
    next_run_at: Mapped[Moment | None]
    state: Mapped[Standing] = code(Standing, server_default=text("'working'"))
    job_id: Mapped[Serial | None]
    finished_at: Mapped[Moment | None]
    cancelled_in: Mapped[Serial | None]

    __table_args__ = (
        Index("operations_by_age", "created_at"),
        {"schema": "ledger"},
    )


class OperationBatch(PlatformRow, because="it belongs to an operation"):
    """Jobs that an operation has not come to yet, each with the fence it had when it was asked for."""

    __tablename__ = "operation_batches"
    __table_args__ = ({"schema": "ledger"},)
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it holds the numbers of jobs, and goes as soon as it is done"),),
        after_cancellation=(),
        ends=WithParent(),
    )

    operation_id: Mapped[Id] = mapped_column(primary_key=True)
    number: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    job_ids: Mapped[Serials]
    fences: Mapped[Numbers]
    once_more: Mapped[Flag] = mapped_column(server_default=text("false"))


__all__ = ["Action", "Operation", "OperationBatch", "Standing"]
