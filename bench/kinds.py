"""The engine's own kinds of the jobs that are measured: they exist here alone."""

import time
from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.peers.bodies import HOLD, SLEEP, SLEEP_LONG
from ledger.job import Registry
from ledger.payload import Payload, Terms

WRITE = text("INSERT INTO live.people (business_id) VALUES (nexara.scope())")
"""One row, as the tenant, through its view and under its policy."""


class DoNothing(Payload):
    """Do nothing at all."""

    kind: ClassVar[str] = "bench.nothing"
    terms: ClassVar[Terms] = Terms(queue="bench")

    subject_id: UUID


class WriteRow(Payload):
    """Write one row in the transaction that completes the job."""

    kind: ClassVar[str] = "bench.write"
    terms: ClassVar[Terms] = Terms(queue="bench")

    subject_id: UUID


class Sleep(Payload):
    """Take five milliseconds."""

    kind: ClassVar[str] = "bench.sleep"
    terms: ClassVar[Terms] = Terms(queue="bench")

    subject_id: UUID


class SleepLong(Payload):
    """Take five seconds."""

    kind: ClassVar[str] = "bench.sleep_long"
    terms: ClassVar[Terms] = Terms(queue="bench")

    subject_id: UUID


class SayWhen(Payload):
    """Say when the handler was entered."""

    kind: ClassVar[str] = "bench.when"
    terms: ClassVar[Terms] = Terms(queue="bench")

    subject_id: UUID


class Hold(Payload):
    """Say when the handler was entered, and outlast the measurement."""

    kind: ClassVar[str] = "bench.hold"
    terms: ClassVar[Terms] = Terms(queue="bench")

    subject_id: UUID


def registry(entered: Callable[[str], None]) -> Registry:
    """Return the registry of these kinds; `entered` is told the subject of each SayWhen and Hold."""
    kinds = Registry()

    @kinds.plain_job(DoNothing)
    def nothing(payload: DoNothing) -> None:
        pass

    @kinds.database_job(WriteRow)
    def write(db: Session, payload: WriteRow) -> None:
        db.execute(WRITE)

    @kinds.plain_job(Sleep)
    def sleep(payload: Sleep) -> None:
        time.sleep(SLEEP)

    @kinds.plain_job(SleepLong)
    def sleep_long(payload: SleepLong) -> None:
        time.sleep(SLEEP_LONG)

    @kinds.plain_job(SayWhen)
    def when(payload: SayWhen) -> None:
        entered(str(payload.subject_id))

    @kinds.plain_job(Hold)
    def hold(payload: Hold) -> None:
        entered(str(payload.subject_id))
        time.sleep(HOLD)

    return kinds
