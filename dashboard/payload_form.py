"""A payload as a form, made from the fields of its kind; the ledger itself has the last word on what is typed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from ledger import moments
from ledger.queries import Kind

PREFIX = "payload."
FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a payload as it is filled in: what stands in it, and what is wrong with that."""

    name: str
    type: str
    required: bool
    codes: tuple[str, ...]
    value: str
    wrong: str | None = None

    @property
    def input(self) -> str:
        """The name of its input."""
        return PREFIX + self.name


def fields(kind: Kind, payload: Mapping[str, Any]) -> list[Field]:
    """Return the form of a payload."""
    return [
        Field(name, spec["type"], spec["required"], tuple(spec.get("codes", ())), _shown(payload.get(name)))
        for name, spec in kind.fields.items()
    ]


def filled(kind: Kind, form: Mapping[str, str], stored: Mapping[str, Any], said: str | None = None) -> list[Field]:
    """Return the form as it was filled in, each wrong field with why; `said` is what the ledger said of one."""
    return [_checked(replace(field, value=_typed(field, form)), said) for field in fields(kind, stored)]


def payload_of(kind: Kind, form: Mapping[str, str], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload that was filled in, for the ledger to check; empty fields are left out.

    A field that was not touched is as it was stored: a browser shows times to the millisecond only.
    """
    told: dict[str, Any] = {}
    for field in fields(kind, stored):
        typed = _typed(field, form)
        if typed and typed == field.value and field.name in stored:
            told[field.name] = stored[field.name]
        elif typed:
            told[field.name] = _meant(field, typed)
    return told


def _typed(field: Field, form: Mapping[str, str]) -> str:
    if field.type == "flag" and field.required:
        return "true" if form.get(field.input) == "true" else "false"  # a box that is not ticked is not sent
    return form.get(field.input, "").strip()


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.endswith("Z"):
        return value.removesuffix("Z")[:23]
    return "" if value is None else str(value)


def _meant(field: Field, typed: str) -> Any:
    if field.type == "flag":
        return FLAGS.get(typed, typed)
    if field.type == "time" and (moment := _moment(typed)) is not None:
        return moments.write(moment)
    return typed


def _moment(typed: str) -> datetime | None:
    try:
        return moments.read(typed)
    except ValueError:
        return None


def _checked(field: Field, said: str | None) -> Field:
    named = said is not None and f" {field.name} " in f"{said.rstrip('.')} "
    return replace(field, wrong=_wrong(field) or (said if named else None))


def _wrong(field: Field) -> str | None:
    if not field.value:
        return "It cannot be left out." if field.required else None
    if field.type == "uuid":
        try:
            UUID(field.value)
        except ValueError:
            return "A UUID, such as 7d0c9a52-3c7e-4a35-9f0f-0e6b1f3c2a11."
    if field.type == "time" and _moment(field.value) is None:
        return "A time in UTC, such as 2026-05-04T12:30:00."
    if field.type == "code" and field.value not in field.codes:
        return f"One of: {', '.join(field.codes)}."
    if field.type == "flag" and field.value not in FLAGS:
        return "Yes or no."
    return None
