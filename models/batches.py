"""Batches of the ledger: which jobs belong together, how each ended, and what follows when all have."""

from datetime import timedelta
from enum import StrEnum

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NEW_ID, PlatformRow
from models.data_map import Category, Delete, Expires, Life, Never, NoOne, WithParent
from models.forms import code
from models.kinds import Flag, Id, Moment
from models.ledger import EMPTYING, NAMED, Ids, Name, Number, Serial, Small, State


class Cue(StrEnum):
    """When a follow-up is enqueued: once, as its batch completes."""

    THEN = "then"  # however its members ended
    IF_SUCCEEDED = "if_succeeded"  # each of them succeeded
    IF_DIED = "if_died"  # at least one is dead


class Batch(PlatformRow, because="the ledger settles batches across businesses; the nil UUID is the house"):
    """One batch: open until it is sealed, complete once it is sealed and each of its jobs has ended."""

    __tablename__ = "batches"
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it is a group of jobs"),),
        after_cancellation=(Delete(),),
        ends=Expires(after=timedelta(days=30), since="completed_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, server_default=NEW_ID)
    business_id: Mapped[Id]
    root_id: Mapped[Serial]
    actor: Mapped[Id | None]
    opened_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
    sealed_at: Mapped[Moment | None]
    settled: Mapped[Flag] = mapped_column(server_default=text("false"))
    completed_at: Mapped[Moment | None]
    succeeded: Mapped[Number | None]
    dead: Mapped[Number | None]
    cancelled: Mapped[Number | None]
    discarded: Mapped[Number | None]

    __table_args__ = (
        Index("batches_by_age", "opened_at"),
        Index("batches_complete", "completed_at", postgresql_where=text("completed_at IS NOT NULL")),
        # Sealed, and not looked at since.
        Index("batches_to_settle", "sealed_at", postgresql_where=text("sealed_at IS NOT NULL AND NOT settled")),
        {"schema": "ledger"},
    )


class BatchMember(PlatformRow, because="it belongs to a batch"):
    """One job of a batch, and how it ended as far as that was taken up; a job may be in several."""

    __tablename__ = "batch_members"
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it holds the numbers of jobs"),),
        after_cancellation=(Delete(),),
        ends=WithParent(),
    )

    job_id: Mapped[Serial] = mapped_column(primary_key=True, autoincrement=False)
    batch_id: Mapped[Id] = mapped_column(primary_key=True)
    state: Mapped[State | None] = code(State, nullable=True)

    __table_args__ = (
        Index("batch_members_by_state", "batch_id", "state", "job_id"),
        {"schema": "ledger", "postgresql_with": EMPTYING},
    )


class BatchFollowUp(PlatformRow, because="it belongs to a batch"):
    """One job that is enqueued as its batch completes, and its id from then on."""

    __tablename__ = "batch_follow_ups"
    __table_args__ = ({"schema": "ledger"},)
    __life__ = Life(
        category=Category.ENGINE,
        links=(NAMED,),
        after_cancellation=(Delete(),),
        ends=WithParent(),
    )

    batch_id: Mapped[Id] = mapped_column(primary_key=True)
    cue: Mapped[Cue] = code(Cue, primary_key=True)
    kind: Mapped[Name]
    payload: Mapped[Ids]
    priority: Mapped[Small | None]
    job_id: Mapped[Serial | None]


class BatchEnd(PlatformRow, because="it is a note of the ledger to itself"):
    """One note that a job of some batch ended, or was reopened where the state is empty, until it is taken up."""

    __tablename__ = "batch_ends"
    __table_args__ = ({"schema": "ledger", "postgresql_with": EMPTYING},)
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it holds the number of a job"),),
        after_cancellation=(),
        ends=Never(because="the dispatcher takes it up within a second"),
    )

    # By the job first: all notes of one are taken up together, and the last counts.
    job_id: Mapped[Serial] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[Serial] = mapped_column(Identity(), primary_key=True)
    state: Mapped[Name | None]


__all__ = ["Batch", "BatchEnd", "BatchFollowUp", "BatchMember", "Cue"]
