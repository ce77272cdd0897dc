"""Kinds of jobs that exist in tests alone, and a script of what they do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.enqueue import enqueue
from ledger.job import Registry
from ledger.outcome import Again, Cancel, Known
from ledger.payload import Payload, Terms


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Paint(Payload):
    """Pay a vendor for a coat of paint."""

    kind: ClassVar[str] = "walls.paint"
    terms: ClassVar[Terms] = Terms(queue="walls", unique_by=("wall_id",), max_attempts=3)

    wall_id: UUID
    colour: Colour | None = None
    glossy: bool | None = None


class Dry(Payload):
    """Follow the paint."""

    kind: ClassVar[str] = "walls.dry"
    terms: ClassVar[Terms] = Terms(queue="walls")

    wall_id: UUID


class Count(Payload):
    """Count walls in batches."""

    kind: ClassVar[str] = "walls.count"
    terms: ClassVar[Terms] = Terms(queue="walls", unique_by=("wall_id",), until_done=True)

    wall_id: UUID


class Knock(Payload):
    """Do nothing at all."""

    kind: ClassVar[str] = "walls.knock"
    terms: ClassVar[Terms] = Terms(queue="knocks", max_attempts=3, timeout=timedelta(seconds=30))

    wall_id: UUID


class Hang(Payload):
    """Ask the gallery for a picture."""

    kind: ClassVar[str] = "pictures.hang"
    terms: ClassVar[Terms] = Terms(queue="pictures", vendors=("gallery",), max_attempts=3)

    wall_id: UUID


class Frame(Payload):
    """Ask the gallery for a frame, in another queue."""

    kind: ClassVar[str] = "frames.frame"
    terms: ClassVar[Terms] = Terms(queue="frames", vendors=("gallery",))

    wall_id: UUID


@dataclass
class Script:
    """What the vendor and the handlers do in this test, and what they did."""

    call: Callable[[UUID], str] = lambda wall: "painted"
    load: Callable[[Session, UUID], Any] = lambda db, wall: wall
    save: Callable[[Session, UUID, str], None] = lambda db, wall, answer: None
    calls: list[UUID] = field(default_factory=list)
    otherwise: list[UUID] = field(default_factory=list)


def kinds(script: Script) -> Registry:
    registry = Registry()

    @registry.vendor_job(Paint)
    class PaintWall:
        def load(self, db: Session, payload: Paint) -> UUID | Known[str] | Cancel:
            return script.load(db, payload.wall_id)  # type: ignore[no-any-return]

        def call(self, given: UUID, vendors: object) -> str:
            script.calls.append(given)
            return script.call(given)

        def save(self, db: Session, payload: Paint, answer: str) -> None:
            script.save(db, payload.wall_id, answer)
            enqueue(db, Dry(wall_id=payload.wall_id))

        def otherwise(self, db: Session, payload: Paint) -> None:
            script.otherwise.append(payload.wall_id)
            enqueue(db, Dry(wall_id=payload.wall_id))

    _galleries(registry, script)

    @registry.database_job(Dry)
    def dry(db: Session, payload: Dry) -> None:
        db.execute(text("SELECT 1"))

    @registry.cursor_job(Count)
    def count(db: Session, payload: Count, cursor: Any) -> Again | None:
        done = int(cursor["done"][5:]) + 1 if cursor else 1
        return Again({"done": f"batch{done}"}, done * 33, "counting") if done < 3 else None

    @registry.plain_job(Knock)
    def knock(payload: Knock) -> None:
        script.calls.append(payload.wall_id)
        script.call(payload.wall_id)

    return registry


def _galleries(registry: Registry, script: Script) -> None:
    class AskTheGallery:
        def load(self, db: Session, payload: Payload) -> UUID:
            return payload.wall_id  # type: ignore[attr-defined,no-any-return]

        def call(self, given: UUID, vendors: object) -> str:
            script.calls.append(given)
            return script.call(given)

        def save(self, db: Session, payload: Payload, answer: str) -> None:
            pass

    registry.vendor_job(Hang)(AskTheGallery)
    registry.vendor_job(Frame)(AskTheGallery)
