"""A payload that could carry a name, a number or a sentence is refused when its class is made."""

import json
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, StrEnum
from typing import Any, ClassVar, Literal, Optional
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import AwareDatetime, BaseModel, ValidationError

from ledger.payload import Payload, Terms


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Number(Enum):
    ONE = 1


class Other(BaseModel):
    name: str


def made(annotation: Any, *, terms: Terms | None = None, default: Any = ...) -> type[Payload]:
    """Make a payload with one field of a type."""
    body: dict[str, Any] = {
        "__module__": __name__,
        "__annotations__": {"kind": "ClassVar[str]", "terms": "ClassVar[Terms]", "field": annotation},
        "kind": "walls.made",
        "terms": terms or Terms(queue="walls"),
    }
    if default is not ...:
        body["field"] = default
    return type("Made", (Payload,), body)


class Everything(Payload):
    """All that a payload may hold."""

    kind: ClassVar[str] = "walls.everything"
    terms: ClassVar[Terms] = Terms(queue="walls", unique_by=("wall_id",))

    wall_id: UUID
    colour: Colour
    glossy: bool
    due_at: AwareDatetime
    other_id: UUID | None = None
    other_colour: Optional[Colour] = None  # noqa: UP045 - both ways of writing it
    loud: bool = False


@pytest.mark.parametrize(
    "annotation",
    [
        *(str, int, float, complex, bytes, list, dict, Any, object, timedelta, Number, Other),
        *(list[UUID], dict[str, UUID], tuple[UUID, ...], set[UUID], Literal["red"]),
        *(str | None, UUID | Colour, UUID | str),
    ],
    ids=str,
)
def test_a_field_that_is_no_id_code_flag_or_time_is_refused(annotation: Any) -> None:
    with pytest.raises(TypeError, match=r"^Made\.field: a payload holds UUIDs, codes .*, flags .* and times .* only$"):
        made(annotation)


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (UUID, {"type": "uuid", "required": True}),
        (bool, {"type": "flag", "required": True}),
        (AwareDatetime, {"type": "time", "required": True}),
        (Colour, {"type": "code", "required": True, "codes": ["red", "blue"]}),
    ],
    ids=str,
)
def test_what_a_field_is_is_told_as_the_database_checks_it(annotation: Any, told: dict[str, Any]) -> None:
    assert made(annotation).fields() == {"field": told}
    assert made(annotation | None, default=None).fields() == {"field": {**told, "required": False}}


@pytest.mark.parametrize("lacking", ["kind", "terms"])
def test_a_payload_that_does_not_say_what_it_is_is_refused(lacking: str) -> None:
    body: dict[str, Any] = {"__module__": __name__, "kind": "walls.made", "terms": Terms(queue="walls")}
    del body[lacking]
    with pytest.raises(TypeError, match=f"^Made does not say its {lacking}$"):
        type("Made", (Payload,), body)


def test_a_key_that_names_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="unique_by names no field of it: wall_id"):
        made(UUID, terms=Terms(queue="walls", unique_by=("field", "wall_id")))


everything = some.builds(
    Everything,
    wall_id=some.uuids(),
    colour=some.sampled_from(Colour),
    glossy=some.booleans(),
    due_at=some.datetimes(
        datetime(1970, 1, 1),  # noqa: DTZ001
        timezones=some.sampled_from((UTC, timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=-3)))),
    ),
    other_id=some.none() | some.uuids(),
    other_colour=some.none() | some.sampled_from(Colour),
    loud=some.booleans(),
)


@given(payload=everything)
def test_a_payload_is_read_back_from_its_row_as_it_was(payload: Everything) -> None:
    stored = json.loads(json.dumps(payload.stored()))
    assert Everything.read(stored) == payload
    assert None not in stored.values()
    assert set(stored) <= set(Everything.fields())


@pytest.mark.parametrize(
    "wrong",
    [
        {"wall_id": "Jane Doe"},
        {"colour": "green"},
        {"glossy": "maybe"},
        {"due_at": "2026-11-23T12:00:00"},
        {"note": "Jane Doe"},
        {"wall_id": None},
    ],
    ids=str,
)
def test_a_row_that_is_not_of_this_kind_is_refused(wrong: dict[str, Any]) -> None:
    stored = Everything(wall_id=uuid4(), colour=Colour.RED, glossy=True, due_at=datetime.now(UTC)).stored()
    with pytest.raises(ValidationError):
        Everything.read({**stored, **wrong})


def test_a_payload_cannot_be_changed() -> None:
    payload = Everything(wall_id=uuid4(), colour=Colour.RED, glossy=True, due_at=datetime.now(UTC))
    with pytest.raises(ValidationError):
        payload.glossy = False  # type: ignore[misc]
