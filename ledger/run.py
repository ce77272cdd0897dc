"""Run one claimed job: the only place that opens a job's transactions and asks what an error means."""

import hashlib
import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger.checkpoint import reaching
from ledger.claimed import Claimed, Ended
from ledger.enqueue import FOLLOW_UPS
from ledger.errors import Misconfigured, RateLimited
from ledger.failure import Failure, describe
from ledger.job import Job, Registry
from ledger.limits import block
from ledger.line import Line
from ledger.message import say
from ledger.outcome import Again, Cancel, Cancelled, Known, Snooze, Snoozed
from ledger.payload import Payload
from ledger.retry import asked
from ledger.start import BEGIN_LOAD, BEGIN_SAVE, Blocked, begin, beginning, of_job, start
from ledger.transaction import moved_on, through_restarts
from ledger.verdict import Verdict, judge

KEEP = text("SELECT ledger.keep_answer_v1(:id, :input_hash, CAST(:answer AS jsonb))")
GO_ON = text("SELECT ledger.go_on_v1(CAST(:cursor AS jsonb), :percent, :doing)")
FAIL = text("SELECT ledger.fail_v1(:id, :fence, CAST(:error AS jsonb), :state, :wait, :reason, :spent)")
BEGIN_END = text("SELECT ledger.begin_end_v1(:id, :fence, :state, :reason, CAST(:error AS jsonb))")
GIVE_BACK = text("SELECT ledger.give_back_v1(CAST(ARRAY[:id] AS bigint[]), CAST(ARRAY[:fence] AS integer[]))")
SNOOZE = text("SELECT ledger.snooze_v1(:id, :fence, :until)")
PROGRESS = text("SELECT ledger.progress_v1(:id, :fence, :percent, :doing)")
MISCONFIGURED = text("SELECT ledger.misconfigured_v1(:kind, :code, CAST(:business AS uuid))")
MOVED_ON = "moved_on"
PROGRESS_EVERY = 1.0  # seconds
log = logging.getLogger(__name__)
steps = logging.getLogger("ledger.steps")
"""Says which step of a job begins, for the tail of its attempt alone."""
Tail = Callable[[], str | None]


class Unseen(Exception):
    """This worker's heartbeat has not been heard lately: another may hold its jobs already."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs jobs of a registry; `vendors` is what its handlers' `call` is given.

    `heard` says whether this process's heartbeat is fresh, `cancelled` whether a job is to be cancelled, `ring` wakes
    the dispatcher for follow-up jobs, `tell` is told how each run ended, `listening` keeps what is logged meanwhile and
    yields what returns it, for an attempt that fails.
    """

    registry: Registry
    engine: Engine
    vendors: Any
    heard: Callable[[], bool] = lambda: True
    cancelled: Callable[[int], bool] = lambda _: False
    ring: Callable[[], None] = lambda: None
    tell: Callable[[Ended], None] = lambda _: None
    listening: Callable[[], AbstractContextManager[Tail]] = lambda: nullcontext(lambda: None)
    draw: random.Random = random.Random()  # noqa: RUF009 - one source of jitter for the process is what is wanted

    def line(self, take: Callable[[], Claimed | None] = lambda: None) -> Line:
        """Return a connection for jobs that one thread runs one after the other; `take` gives it the next one."""
        return Line(self.engine, take)

    def run(self, claimed: Claimed, line: Line | None = None) -> Ended:
        """Run one job to the end of this attempt; never raises but for a database that stays away."""
        if line is None:
            with self.line() as own:
                return self.run(claimed, own)
        run = _Run(self, claimed, self.registry[claimed.kind])
        try:
            with reaching(run.reach), self.listening() as run.tail:
                ended = run.attempted(line)
        except Unseen:
            through_restarts(run.given_back)
            ended = run.ended("available", "given_back")
        except Blocked:
            ended = run.ended("retryable", "vendor_paused")
        except Cancelled as stop:
            ended = run.cancelled(stop.said)
        except Snoozed as later:
            ended = run.snoozed(later.said)
        except DBAPIError as error:
            ended = run.ended(MOVED_ON) if moved_on(error) else run.failed(error)
        except Exception as error:  # noqa: BLE001 - what an error means is decided here, once
            ended = run.failed(error)
        self.tell(ended)
        return ended

    def run_plain(self, claimed: Claimed) -> Claimed | None:
        """Run a job without effects and leave its completion to a set; None if there is nothing to complete."""
        run = _Run(self, claimed, self.registry[claimed.kind])
        try:
            with reaching(run.reach), self.listening() as run.tail:
                if run.plain():
                    return claimed
            ended = run.ended(MOVED_ON)
        except Cancelled as stop:
            ended = run.cancelled(stop.said)
        except Exception as error:  # noqa: BLE001 - as above
            ended = run.failed(error)
        self.tell(ended)
        return None


class _Run:
    """One attempt at one job."""

    def __init__(self, runner: Runner, claimed: Claimed, job: Job) -> None:
        self.runner = runner
        self.claimed = claimed
        self.job = job
        self.tail: Tail = lambda: None
        self.attempt = claimed.attempt if claimed.started else claimed.attempt + 1
        self.began = time.monotonic()
        self.known = {"id": claimed.id, "fence": claimed.fence}
        self.said_at = float("-inf")
        self.in_transaction = False

    def attempted(self, line: Line) -> Ended:
        with line.dropped_on_failure():
            self._must_be_heard()
            payload = self.job.read(self.claimed.payload)
            if self.job.steps is None:
                return self._database_job(payload, line)
        line.drop()  # its transactions take connections of the pool, and the vendor takes its time
        return self._vendor_job(payload)

    def plain(self) -> bool:
        """Run a job without effects; false if it was no longer ours to start."""
        assert self.job.plain is not None  # noqa: S101 - the worker sends only such jobs here
        if not self.claimed.started and not through_restarts(self._started):
            return False
        self.job.plain(self.job.read(self.claimed.payload))
        return True

    def _vendor_job(self, payload: Payload) -> Ended:
        steps = self.job.steps
        loaded = through_restarts(lambda: self._load(payload))
        if loaded is None:
            return self.ended(MOVED_ON)
        given, answers = loaded
        match given:
            case Cancel():
                return self.cancelled(given)
            case Snooze():
                return self.snoozed(given)
            case Known(answer=answer):
                pass
            case _:
                answer = self._answer(given, answers)
        return through_restarts(lambda: self._save(lambda db: steps.save(db, payload, answer)))

    def _load(self, payload: Payload) -> tuple[Any, Mapping[str, Any]] | None:
        steps.debug("job.loads")
        with self._transaction(), Session(self.runner.engine) as db, db.begin():
            answers = self._begin(db.connection(), BEGIN_LOAD)
            return None if answers is None else (self.job.steps.load(db, payload), json.loads(answers))

    def _answer(self, given: Any, kept: Mapping[str, Any]) -> Any:
        """Ask the vendor, or take the answer that an earlier attempt paid for."""
        assert self.job.given is not None  # noqa: S101 - the registry sets both for a vendor job
        assert self.job.answer is not None  # noqa: S101
        input_hash = hashlib.sha256(self.job.given.dump_json(given)).hexdigest()
        if input_hash in kept:
            try:
                return self.job.answer.validate_python(kept[input_hash])
            except ValidationError:  # kept by a release whose answer had another form
                log.warning("job.kept_answer_unread", extra={"job_id": self.claimed.id, "kind": self.claimed.kind})
        self._must_be_heard()
        self.reach()
        steps.debug("job.calls")
        answer = self.job.steps.call(given, self.runner.vendors)
        stored = self.job.answer.dump_json(answer).decode()
        through_restarts(lambda: self._keep(input_hash, stored))
        return answer

    def _keep(self, input_hash: str, answer: str) -> None:
        with self.runner.engine.begin() as db:
            db.execute(KEEP, {"id": self.claimed.id, "input_hash": input_hash, "answer": answer})

    def _database_job(self, payload: Payload, line: Line) -> Ended:
        def done() -> tuple[str, bool]:
            with line.dropped_on_failure(), self._transaction():
                self.reach()
                if not line.has_begun(self.claimed):
                    self._begin(line.connection(), BEGIN_SAVE)
                with line.session() as db, db.begin():
                    state = self._written(db, self._body(db, payload))
                line.commit(*self._following(line))
            return state, bool(db.info.get(FOLLOW_UPS))

        state, rings = through_restarts(done)
        if rings or state != "succeeded":
            self.runner.ring()
        return self.ended(state)

    def _following(self, line: Line) -> tuple[Claimed, *tuple[str, ...]] | tuple[()]:
        """Return the thread's next job and what begins it, if the message that commits this one may do that, too."""
        job = line.next()
        if job is None or self.runner.registry[job.kind].steps or self.runner.registry[job.kind].plain:
            return ()
        if not self.runner.heard() or self.runner.cancelled(job.id):
            return ()
        return job, *beginning(job, BEGIN_SAVE)

    def _started(self) -> bool:
        """Spend the attempt of a job that has no transaction of its own; false if the job is no longer ours."""
        with self.runner.engine.begin() as db:
            spent = start(db, self.claimed)
        self.attempt = spent or self.attempt
        return spent is not None

    def _begin(self, db: Connection, first: str) -> bytes | None:
        """Spend the attempt and begin the first step's transaction; return what that answered."""
        spent, answer = begin(db, self.claimed, first)
        self.attempt = spent or self.attempt
        return answer

    def reach(self, percent: int | None = None, doing: str | None = None) -> None:
        """Stop here if the job is to be cancelled; else write how far it is."""
        if self.runner.cancelled(self.claimed.id):
            raise Cancelled(Cancel("by_hand"))
        now = time.monotonic()
        if (percent, doing) == (None, None) or now - self.said_at < PROGRESS_EVERY or self.in_transaction:
            return  # beside its own transaction it would wait for the row that this one has written
        self.said_at = now
        with self.runner.engine.begin() as db:
            db.execute(PROGRESS, {**self.known, "percent": percent, "doing": doing})

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.in_transaction = True
        try:
            yield
        finally:
            self.in_transaction = False

    def _body(self, db: Session, payload: Payload) -> Again | Cancel | Snooze | None:
        if self.job.in_batches is not None:
            return self.job.in_batches(db, payload, self.claimed.cursor)
        assert self.job.in_database is not None  # noqa: S101 - a registered job has one of the shapes
        return self.job.in_database(db, payload)

    def _save(self, write: Callable[[Session], Cancel | None]) -> Ended:
        self.reach()
        steps.debug("job.saves")
        with self._transaction(), Session(self.runner.engine) as db, db.begin():
            say(db.connection(), "BEGIN", of_job(BEGIN_SAVE, self.claimed))
            self._written(db, write(db))
        if db.info.get(FOLLOW_UPS):
            self.runner.ring()
        return self.ended("succeeded")

    def _written(self, db: Session, said: Again | Cancel | Snooze | None) -> str:
        """Do as the handler said, in the transaction that has completed its job; return the state that this leaves."""
        if isinstance(said, Cancel):
            raise Cancelled(said)
        if isinstance(said, Snooze):
            raise Snoozed(said)
        if not isinstance(said, Again):
            return "succeeded"
        db.flush()
        going = {"cursor": json.dumps(said.cursor), "percent": said.percent, "doing": said.doing}
        state: str = db.execute(GO_ON, going).scalar_one()
        return state

    def cancelled(self, said: Cancel) -> Ended:
        """End the job as its handler asked."""
        error = {"outcome": "cancelled", "class": "Cancel", "code": said.reason, "fingerprint": said.reason}
        verdict = Verdict("cancelled", said.reason)
        return self.ended(*self._end_with_otherwise(verdict, error))

    def snoozed(self, said: Snooze) -> Ended:
        """Put the job off, as its handler asked."""

        def put_off() -> str | None:
            with self.runner.engine.begin() as db:
                state: str | None = db.execute(SNOOZE, {**self.known, "until": said.until}).scalar_one()
            return state

        return self.ended(through_restarts(put_off) or MOVED_ON, "snoozed")

    def failed(self, error: Exception) -> Ended:
        """Record the failure and let the job wait, park or end, as the error's class says."""
        failure = describe(self.claimed.kind, error, self.tail())
        verdict = judge(
            error,
            attempt=self.attempt,
            max_attempts=self.claimed.max_attempts,
            patience=self.claimed.patience_left,
            draw=self.runner.draw,
        )
        if not verdict.ends:
            return self.ended(*through_restarts(lambda: self._fail(verdict, failure, error)), failure)
        return self.ended(*self._end_with_otherwise(verdict, failure.stored()), failure)

    def _end_with_otherwise(self, verdict: Verdict, error: Mapping[str, str | None]) -> tuple[str, str | None]:
        try:
            return through_restarts(lambda: self._end(verdict, error, self.job.otherwise))
        except Exception:  # noqa: BLE001 - whatever it was
            # What should happen all the same failed too: the job must not stay running for that.
            # Not log.exception: the text of an error may quote a caller.
            log.error("job.otherwise_failed", extra={"job_id": self.claimed.id})  # noqa: TRY400
            return through_restarts(lambda: self._end(verdict, error, None))

    def _fail(self, verdict: Verdict, failure: Failure, error: Exception) -> tuple[str, str | None]:
        with self.runner.engine.begin() as db:
            state = db.execute(
                FAIL,
                {
                    **self.known,
                    "error": json.dumps(failure.stored()),
                    "state": verdict.state,
                    "wait": verdict.wait,
                    "reason": verdict.reason,
                    "spent": verdict.spent,
                },
            ).scalar_one()
            # The next one would only be told the same.
            match error:
                case _ if state is None:
                    pass
                case Misconfigured():
                    business = self.claimed.business_id if error.of_business else None
                    db.execute(MISCONFIGURED, {"kind": self.claimed.kind, "code": error.code, "business": business})
                case RateLimited(vendor=str() as vendor, retry_after=float() | int() as seconds):
                    block(db, vendor, asked(seconds))
        return state or MOVED_ON, verdict.reason

    def _end(
        self, verdict: Verdict, error: Mapping[str, str | None], then: Callable[[Session, Payload], None] | None
    ) -> tuple[str, str | None]:
        with Session(self.runner.engine) as db:
            with db.begin():
                ours = db.execute(
                    BEGIN_END,
                    {
                        **self.known,
                        "state": verdict.state,
                        "reason": verdict.reason,
                        "error": json.dumps(error),
                    },
                ).scalar_one()
                if ours and then is not None:
                    then(db, self.job.payload.read(self.claimed.payload))
            if db.info.get(FOLLOW_UPS):
                self.runner.ring()
        return (verdict.state if ours else MOVED_ON), verdict.reason

    def given_back(self) -> None:
        with self.runner.engine.begin() as db:
            db.execute(GIVE_BACK, self.known)

    def _must_be_heard(self) -> None:
        if not self.runner.heard():
            raise Unseen

    def ended(self, state: str, reason: str | None = None, failure: Failure | None = None) -> Ended:
        seconds = round(time.monotonic() - self.began, 3)
        return Ended(self.claimed.id, self.claimed.kind, self.attempt, state, reason, failure, seconds)
