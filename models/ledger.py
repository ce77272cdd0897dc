"""The ledger's tables: kinds, jobs with every state drawn once, attempts, kept answers, workers, ticks."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import ARRAY, BigInteger, Identity, Index, Integer, LargeBinary, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import PlatformRow
from models.data_map import Category, Delete, Expires, Life, Matching, Never, NoOne
from models.forms import code
from models.kinds import NONE, Flag, Id, Moment, Period, RawPayload, Word, plain


class State(StrEnum):
    """The states of a job. Every arrow moves the fence on by one.

    scheduled ─┐                                    ┌→ succeeded
    retryable ─┼→ available → dispatched → running ─┼→ retryable, scheduled, parked
    parked ────┘      ↑ │          │         │      ├→ dead
           ↑          └─│──────────│─────────┘      └→ cancelled
           └────────────┴──────────┘ paused
    dispatched → available, where its worker does not know its kind
    any that is open, or dead → discarded; any that waits → cancelled; dead, cancelled, discarded → available, by hand
    """

    SCHEDULED = "scheduled"  # due later
    RETRYABLE = "retryable"  # failed, and due again later
    PARKED = "parked"  # waits until somebody mends what `reason` names
    AVAILABLE = "available"  # due
    DISPATCHED = "dispatched"  # its id lies in Redis
    RUNNING = "running"  # reserved by a worker; started once started_at is set
    SUCCEEDED = "succeeded"
    DEAD = "dead"  # failed for good; on-call may retry it
    CANCELLED = "cancelled"  # its own handler found nothing to do, or somebody asked for it
    DISCARDED = "discarded"  # put aside by hand, or superseded by a newer twin


FAILED = (State.DEAD, State.PARKED, State.RETRYABLE)
OPEN = (State.SCHEDULED, State.RETRYABLE, State.PARKED, State.AVAILABLE, State.DISPATCHED, State.RUNNING)
FINISHED = (State.SUCCEEDED, State.DEAD, State.CANCELLED, State.DISCARDED)


class Outcome(StrEnum):
    """How an attempt ended that did not succeed."""

    TRY_AGAIN = "try_again"
    RATE_LIMITED = "rate_limited"
    GAVE_UP = "gave_up"
    MISCONFIGURED = "misconfigured"
    BUG = "bug"
    LOST = "lost"
    CANCELLED = "cancelled"


Serial = Annotated[int, plain("Serial", BigInteger(), "a number that names a row", bundles=NONE)]
Number = Annotated[int, plain("Number", Integer(), "a number", bundles=NONE)]
Small = Annotated[int, plain("Small", SmallInteger(), "a small number", bundles=NONE)]
Key = Annotated[bytes, plain("Key", LargeBinary(), "a SHA-256 of ids", "octet_length(VALUE) = 32", bundles=NONE)]
Words = Annotated[list[str], plain("Words", ARRAY(Text()), "names from our own source", bundles=NONE)]
OwnWords = Annotated[str, plain("OwnWords", Text(), "our own words: they quote nobody", bundles=NONE)]
Name = Annotated[str, plain("Name", Text(), "a word that job_kinds or our source fixes", bundles=NONE)]
"""As Word, with no CHECK of its own: each would run anew at every arrow of a job."""
Shape = Annotated[dict[str, Any], plain("Shape", JSONB(), "the fields of a payload and their types", bundles=NONE)]
Ids = Annotated[
    dict[str, Any],
    plain("Ids", JSONB(), "ids, codes, flags and times", "jsonb_typeof(VALUE) = 'object'", bundles=NONE),
]

EMPTYING = {
    "fillfactor": "80",
    "autovacuum_vacuum_scale_factor": "0.02",
    "autovacuum_vacuum_cost_delay": "0",
    "vacuum_truncate": "false",
}
"""Rows change state some five times: room on the page for the start stamp, and a vacuum that keeps up.

It gives no empty page at the end back to the disk: for that it would lock the table against everybody.
"""

NAMED = Matching(column="payload", finds="the ids of erased rows", then=(Delete(),))


class JobKind(PlatformRow, because="a kind is part of the program"):
    """One kind of job: what its payload may hold, and on which terms it runs."""

    __tablename__ = "job_kinds"
    __table_args__ = ({"schema": "ledger"},)
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it describes code"),),
        after_cancellation=(),
        ends=Never(because="it describes code"),
    )

    kind: Mapped[Word] = mapped_column(primary_key=True)
    queue: Mapped[Word]
    priority: Mapped[Small]
    fields: Mapped[Shape]
    unique_by: Mapped[Words | None]
    until_done: Mapped[Flag]
    timeout: Mapped[Period]
    max_attempts: Mapped[Small]
    give_up_after: Mapped[Period]
    vendors: Mapped[Words] = mapped_column(server_default=text("'{}'"))
    about: Mapped[OwnWords]


class Job(PlatformRow, because="the ledger reads across businesses; business_id is the nil UUID for the house"):
    """One job, from enqueue to its end."""

    __tablename__ = "jobs"
    __life__ = Life(
        category=Category.ENGINE,
        links=(NAMED,),
        after_cancellation=(Delete(),),
        ends=Expires(after=timedelta(days=30), since="finished_at"),
    )

    id: Mapped[Serial] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[Name]
    queue: Mapped[Name]
    priority: Mapped[Small]
    business_id: Mapped[Id]
    root_id: Mapped[Serial]
    parent_id: Mapped[Serial | None]
    payload: Mapped[Ids]
    unique_key: Mapped[Key | None]
    until_done: Mapped[Flag] = mapped_column(server_default=text("false"))
    state: Mapped[State] = code(State)
    reason: Mapped[Name | None]
    fence: Mapped[Number] = mapped_column(server_default=text("0"))
    attempt: Mapped[Small] = mapped_column(server_default=text("0"))
    max_attempts: Mapped[Small]
    rescues: Mapped[Small] = mapped_column(server_default=text("0"))
    run_at: Mapped[Moment] = mapped_column(server_default=text("now()"))
    give_up_at: Mapped[Moment]
    enqueued_at: Mapped[Moment] = mapped_column(server_default=text("now()"))
    dispatched_at: Mapped[Moment | None]
    claimed_at: Mapped[Moment | None]
    started_at: Mapped[Moment | None]
    deadline_at: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]
    worker_id: Mapped[Id | None]
    again: Mapped[Flag] = mapped_column(server_default=text("false"))
    cursor: Mapped[Ids | None]
    actor: Mapped[Id | None]
    cancel_requested_at: Mapped[Moment | None]
    progress: Mapped[Small | None]
    doing: Mapped[Name | None]
    in_batch: Mapped[Flag] = mapped_column(server_default=text("false"))
    fingerprint: Mapped[Name | None]
    failed_at: Mapped[Moment | None]

    # Every arrow is written to each index that holds the row, so each is over a few states only, or over follow-ups.
    __table_args__ = (
        Index(
            "jobs_to_pick",
            "queue",
            "priority",
            "business_id",
            "run_at",
            "id",
            postgresql_where=text("state = 'available'"),
        ),
        Index("jobs_due", "run_at", postgresql_where=text("state IN ('scheduled', 'retryable')")),
        Index(
            "jobs_in_flight",
            "queue",
            "business_id",
            postgresql_where=text("state IN ('dispatched', 'running')"),
        ),
        Index("jobs_of_worker", "worker_id", postgresql_where=text("state = 'running'")),
        Index("jobs_parked", "kind", postgresql_where=text("state = 'parked'")),
        Index(
            "jobs_one_open",
            "kind",
            "unique_key",
            unique=True,
            postgresql_where=text(
                "unique_key IS NOT NULL AND (state IN ('scheduled', 'retryable', 'parked', 'available', 'dispatched')"
                " OR (until_done AND state = 'running'))"
            ),
        ),
        Index("jobs_of_root", "root_id", postgresql_where=text("root_id <> id")),
        Index("jobs_finished", "state", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
        # Failures by what failed alike, counted without a look at the rows. A job that never fails is never in it.
        Index(
            "jobs_failed",
            "fingerprint",
            "failed_at",
            "id",
            postgresql_include=["business_id", "kind", "state"],
            postgresql_where=text("state IN ('dead', 'parked', 'retryable') AND fingerprint IS NOT NULL"),
        ),
        {"schema": "ledger", "postgresql_with": EMPTYING},
    )


class Attempt(PlatformRow, because="the ledger reads across businesses"):
    """One attempt that did not succeed: its class, code and place; never the words of others."""

    __tablename__ = "attempts"
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it holds codes and places in our source"),),
        after_cancellation=(Delete(),),
        ends=Expires(after=timedelta(days=30), since="ended_at"),
    )

    id: Mapped[Serial] = mapped_column(Identity(), primary_key=True)
    job_id: Mapped[Serial]
    business_id: Mapped[Id]
    kind: Mapped[Word]
    attempt: Mapped[Small]
    worker_id: Mapped[Id | None]
    started_at: Mapped[Moment | None]
    ended_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
    outcome: Mapped[Outcome] = code(Outcome)
    error_class: Mapped[OwnWords | None]
    error_code: Mapped[OwnWords | None]
    message: Mapped[OwnWords | None]
    place: Mapped[OwnWords | None]
    traceback: Mapped[OwnWords | None]
    fingerprint: Mapped[OwnWords | None]
    log_tail: Mapped[OwnWords | None]

    __table_args__ = (
        Index("attempts_of_job", "job_id"),
        Index("attempts_alike", "fingerprint", "ended_at"),
        Index("attempts_by_time", "ended_at"),
        {"schema": "ledger"},
    )


class KeptAnswer(PlatformRow, because="it belongs to a job; no login may read it"):
    """A vendor's paid answer, kept until its job closes, so that a crash after it does not pay twice."""

    __tablename__ = "kept_answers"
    __table_args__ = (Index("kept_answers_by_age", "kept_at"), {"schema": "ledger"})
    __life__ = Life(
        category=Category.COMMUNICATION,
        links=(Matching(column="job_id", finds="the jobs that name erased rows", then=(Delete(),)),),
        after_cancellation=(Delete(),),
        ends=Expires(after=timedelta(days=7), since="kept_at"),
    )

    job_id: Mapped[Serial] = mapped_column(primary_key=True)
    input_hash: Mapped[Word] = mapped_column(primary_key=True)
    answer: Mapped[RawPayload]
    kept_at: Mapped[Moment] = mapped_column(server_default=text("now()"))


class Worker(PlatformRow, because="a process of ours"):
    """One worker process that lives, or did a moment ago."""

    __tablename__ = "workers"
    __table_args__ = ({"schema": "ledger", "postgresql_with": {"fillfactor": "50"}},)
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it is a process"),),
        after_cancellation=(),
        ends=Expires(after=timedelta(hours=1), since="heartbeat_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    threads: Mapped[Number]
    kinds: Mapped[Words]
    signed_on_at: Mapped[Moment] = mapped_column(server_default=text("now()"))
    heartbeat_at: Mapped[Moment]


class Turn(PlatformRow, because="a cursor of the dispatcher"):
    """Which business was served last in a queue and priority."""

    __tablename__ = "turns"
    __table_args__ = ({"schema": "ledger", "postgresql_with": {"fillfactor": "50"}},)
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it is a cursor"),),
        after_cancellation=(Delete(),),
        ends=Never(because="one row a queue and priority, overwritten"),
    )

    queue: Mapped[Word] = mapped_column(primary_key=True)
    priority: Mapped[Small] = mapped_column(primary_key=True)
    business_id: Mapped[Id]


class Bell(PlatformRow, because="a flag of the dispatcher"):
    """Whether a dispatcher sleeps, so that enqueuers must knock."""

    __tablename__ = "bell"
    __table_args__ = ({"schema": "ledger", "postgresql_with": {"fillfactor": "50"}},)
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it is a flag"),),
        after_cancellation=(),
        ends=Never(because="one row"),
    )

    id: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    asleep: Mapped[Flag]


class TickOutcome(StrEnum):
    """What became of a tick."""

    FIRED = "fired"
    SKIPPED = "skipped"


class Tick(PlatformRow, because="the timetable is the house's"):
    """One tick of a schedule, fired or skipped exactly once."""

    __tablename__ = "ticks"
    __table_args__ = ({"schema": "ledger"},)
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it is a time"),),
        after_cancellation=(),
        ends=Expires(after=timedelta(days=90), since="due_at"),
    )

    schedule: Mapped[Word] = mapped_column(primary_key=True)
    tick: Mapped[OwnWords] = mapped_column(primary_key=True)
    due_at: Mapped[Moment]
    noted_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
    outcome: Mapped[TickOutcome] = code(TickOutcome)
    job_id: Mapped[Serial | None]


__all__ = [
    "FAILED",
    "FINISHED",
    "OPEN",
    "Attempt",
    "Bell",
    "Job",
    "JobKind",
    "KeptAnswer",
    "Outcome",
    "State",
    "Tick",
    "TickOutcome",
    "Turn",
    "Worker",
]
