"""Small jobs, each effect of which is a row of a table without any constraint: one that was done twice would show."""

import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.enqueue import enqueue
from ledger.errors import GiveUp, TryAgain
from ledger.job import Registry
from ledger.outcome import Again
from ledger.payload import Payload, Terms

QUEUE = "small"
TABLE = """
CREATE SCHEMA chaos;
CREATE TABLE chaos.effects (subject_id uuid NOT NULL, step text NOT NULL, at timestamptz DEFAULT clock_timestamp());
GRANT USAGE ON SCHEMA chaos TO tenant_job;
GRANT INSERT ON chaos.effects TO tenant_job;
"""
EFFECT = text("INSERT INTO chaos.effects (subject_id, step) VALUES (:subject, :step)")
BATCHES = 4


class Note(Payload):
    """Leave one effect."""

    kind: ClassVar[str] = "small.note"
    terms: ClassVar[Terms] = Terms(queue=QUEUE)

    subject_id: UUID


class Ask(Payload):
    """Ask somebody slow, then leave an effect and a Note to follow."""

    kind: ClassVar[str] = "small.ask"
    terms: ClassVar[Terms] = Terms(queue=QUEUE)

    subject_id: UUID


class Stumble(Payload):
    """Leave an effect and fail, the first time."""

    kind: ClassVar[str] = "small.stumble"
    terms: ClassVar[Terms] = Terms(queue=QUEUE)

    subject_id: UUID


class Walk(Payload):
    """Leave an effect a batch."""

    kind: ClassVar[str] = "small.walk"
    terms: ClassVar[Terms] = Terms(queue=QUEUE, unique_by=("subject_id",), until_done=True)

    subject_id: UUID


class Quit(Payload):
    """Give up, and leave an effect all the same."""

    kind: ClassVar[str] = "small.quit"
    terms: ClassVar[Terms] = Terms(queue=QUEUE)

    subject_id: UUID


class Pass(Payload):
    """Leave nothing: such jobs are started and completed as sets."""

    kind: ClassVar[str] = "small.pass"
    terms: ClassVar[Terms] = Terms(queue=QUEUE, timeout=timedelta(seconds=30))

    subject_id: UUID


EFFECTS: dict[type[Payload], tuple[str, ...]] = {
    Note: ("note",),
    Ask: ("ask", "note"),
    Stumble: ("stumble",),
    Walk: tuple(f"walk{n}" for n in range(BATCHES)),
    Pass: (),
}
"""What each leaves, once, whatever is killed."""


def kinds(folder: Path) -> Registry:
    """Return the registry; `folder` remembers who has stumbled, as no transaction that fails could."""
    registry = Registry()

    @registry.database_job(Note)
    def note(db: Session, payload: Note) -> None:
        leave(db, payload.subject_id, "note")

    @registry.vendor_job(Ask)
    class AskSomebody:
        def load(self, db: Session, payload: Ask) -> UUID:
            return payload.subject_id

        def call(self, given: UUID, vendors: object) -> str:
            time.sleep(0.1 + given.int % 1000 / 1000)
            return "answer"

        def save(self, db: Session, payload: Ask, answer: str) -> None:
            leave(db, payload.subject_id, "ask")
            enqueue(db, Note(subject_id=payload.subject_id))

    @registry.database_job(Stumble)
    def stumble(db: Session, payload: Stumble) -> None:
        leave(db, payload.subject_id, "stumble")
        try:
            (folder / str(payload.subject_id)).touch(exist_ok=False)
        except FileExistsError:
            return
        raise TryAgain("stumbled")

    @registry.cursor_job(Walk)
    def walk(db: Session, payload: Walk, cursor: Mapping[str, Any] | None) -> Again | None:
        batch = int(cursor["at"].removeprefix("batch")) if cursor else 0
        leave(db, payload.subject_id, f"walk{batch}")
        return Again({"at": f"batch{batch + 1}"}) if batch + 1 < BATCHES else None

    @registry.vendor_job(Quit)
    class QuitAtOnce:
        def load(self, db: Session, payload: Quit) -> UUID:
            return payload.subject_id

        def call(self, given: UUID, vendors: object) -> str:
            raise GiveUp("quit")

        def save(self, db: Session, payload: Quit, answer: str) -> None:
            leave(db, payload.subject_id, "saved")

        def otherwise(self, db: Session, payload: Quit) -> None:
            leave(db, payload.subject_id, "quit")

    @registry.plain_job(Pass)
    def leave_nothing(payload: Pass) -> None:
        pass

    return registry


def leave(db: Session, subject: UUID, step: str) -> None:
    db.execute(EFFECT, {"subject": subject, "step": step})
