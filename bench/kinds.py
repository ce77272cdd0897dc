"""The jobs that are measured: they exist here alone, and each contestant runs the same bodies."""

import time
from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

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


def registry(entered: Callable[[UUID], None]) -> Registry:
    """Return the registry of these kinds; `entered` is told the subject of each SayWhen."""
    kinds = Registry()

    @kinds.plain_job(DoNothing)
    def nothing(payload: DoNothing) -> None:
        pass

    @kinds.database_job(WriteRow)
    def write(db: Session, payload: WriteRow) -> None:
        db.execute(WRITE)

    @kinds.plain_job(Sleep)
    def sleep(payload: Sleep) -> None:
        time.sleep(0.005)

    @kinds.plain_job(SleepLong)
    def sleep_long(payload: SleepLong) -> None:
        time.sleep(5)

    @kinds.plain_job(SayWhen)
    def when(payload: SayWhen) -> None:
        entered(payload.subject_id)

    return kinds
