"""The registry: one handler a kind, and what each shape of a job must say."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from ledger.job import Job, Registry
from ledger.outcome import Again, Cancel, Known
from ledger.payload import Payload, Terms
from tests.ledger.kinds import Count, Dry, Frame, Hang, Knock, Paint, Script, kinds


class Twin(Payload):
    """Another payload of a kind that there is."""

    kind: ClassVar[str] = "walls.dry"
    terms: ClassVar[Terms] = Terms(queue="walls")


class Endless(Payload):
    """Of which two could run at once."""

    kind: ClassVar[str] = "walls.endless"
    terms: ClassVar[Terms] = Terms(queue="walls", unique_by=("wall_id",))

    wall_id: UUID


class Keyless(Payload):
    """Of which nobody can tell two apart."""

    kind: ClassVar[str] = "walls.keyless"
    terms: ClassVar[Terms] = Terms(queue="walls", until_done=True)


def nothing(db: Session, payload: Payload) -> None:
    """Do nothing."""


def test_a_kind_has_one_handler() -> None:
    registry = Registry()
    registry.database_job(Dry)(nothing)
    for payload in (Dry, Twin):
        with pytest.raises(TypeError, match=r"^two handlers for walls\.dry$"):
            registry.plain_job(payload)(lambda _: None)
    assert len(registry) == 1
    assert registry["walls.dry"].in_database is nothing


@pytest.mark.parametrize("payload", [Endless, Keyless, Dry])
def test_a_job_that_goes_on_must_be_the_only_one_of_its_key(payload: type[Payload]) -> None:
    with pytest.raises(TypeError, match="must be the only one of its key until it is done"):
        Registry().cursor_job(payload)


def test_every_shape_is_known_by_its_kind() -> None:
    registry = kinds(Script())
    assert registry.kinds == sorted(payload.kind for payload in (Paint, Dry, Count, Knock, Hang, Frame))
    assert {job.kind for job in registry} == set(registry.kinds)
    assert "walls.paint" in registry
    assert "walls.pant" not in registry
    shapes = {
        job.kind: [
            shape for shape in ("steps", "in_database", "in_batches", "plain") if getattr(job, shape) is not None
        ]
        for job in registry
    }
    assert shapes == {
        "walls.paint": ["steps"],
        "walls.dry": ["in_database"],
        "walls.count": ["in_batches"],
        "walls.knock": ["plain"],
        "pictures.hang": ["steps"],
        "frames.frame": ["steps"],
    }


def test_a_vendor_job_knows_what_its_call_is_given_what_it_answers_and_what_happens_otherwise() -> None:
    paint = kinds(Script())["walls.paint"]
    assert paint.given is not None
    assert paint.answer is not None
    assert paint.given.validate_python(UUID(int=1)) == UUID(int=1)
    assert paint.answer.validate_python("painted") == "painted"
    assert paint.otherwise is not None

    registry = Registry()

    @registry.vendor_job(Endless)
    class Terse:
        def load(self, db: Session, payload: Endless) -> UUID | Known[str] | Cancel:
            return payload.wall_id

        def call(self, given: UUID, vendors: object) -> str:
            return "painted"

        def save(self, db: Session, payload: Endless, answer: str) -> None:
            """Keep nothing."""

    assert registry["walls.endless"].otherwise is None
    assert isinstance(registry["walls.endless"], Job)
    assert Terse.__name__ == "Terse", "the decorated class is still itself"


def test_a_cursor_job_is_its_function() -> None:
    registry = Registry()

    @registry.cursor_job(Count)
    def count(db: Session, payload: Count, cursor: Mapping[str, Any] | None) -> Again | Cancel | None:
        return None

    assert registry["walls.count"].in_batches is count
