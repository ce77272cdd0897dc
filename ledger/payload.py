"""The contract of a job: a typed payload, and the terms on which it runs."""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Union, get_args, get_origin
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On which terms jobs of a kind run.

    `timeout` bounds one attempt in all; 11 attempts outlast a vendor that is down for some three quarters of an hour.
    `give_up_after` is how long a vendor's "later" is believed, counted from when the job was due. `unique_by` names the
    payload's fields that make two open jobs the same one; `until_done` says that this holds while one runs, too.
    `vendors` are those the job cannot do without; `may_lack` says that an installation may use none of them: a worker
    starts without their keys, and a job of the kind that comes all the same parks until they are set.
    """

    queue: str
    timeout: timedelta = timedelta(minutes=1)
    priority: int = 2
    max_attempts: int = 11
    give_up_after: timedelta = timedelta(days=1)
    unique_by: tuple[str, ...] = ()
    until_done: bool = False
    vendors: tuple[str, ...] = ()
    may_lack: bool = False


class Payload(BaseModel):
    """What a job is asked to do: ids, codes, flags and times. Anything else is refused when the class is made."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    kind: ClassVar[str]
    terms: ClassVar[Terms]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a payload that could carry a name, a number or a sentence."""
        super().__pydantic_init_subclass__(**kwargs)
        for missing in ("kind", "terms"):
            if missing not in cls.__dict__:
                raise TypeError(f"{cls.__name__} does not say its {missing}")
        cls.fields()
        unknown = set(cls.terms.unique_by) - set(cls.model_fields)
        if unknown:
            raise TypeError(f"{cls.__name__}: unique_by names no field of it: {', '.join(sorted(unknown))}")

    @classmethod
    def fields(cls) -> dict[str, dict[str, Any]]:
        """Return each field's type as the SQL function checks it: uuid, code (with its codes), flag or time."""
        return {name: _describe(cls.__name__, name, info) for name, info in cls.model_fields.items()}

    def stored(self) -> dict[str, Any]:
        """Return the payload as JSON values, absent fields left out."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Payload":
        """Read a payload back from its row; raises pydantic.ValidationError if it is not of this kind."""
        return cls.model_validate(dict(stored), strict=False)


def _describe(owner: str, name: str, info: FieldInfo) -> dict[str, Any]:
    annotation = info.annotation
    if get_origin(annotation) in (Union, types.UnionType):
        given = [a for a in get_args(annotation) if a is not type(None)]
        annotation = given[0] if len(given) == 1 else None
    required = info.is_required()
    if annotation is UUID:
        return {"type": "uuid", "required": required}
    if annotation is bool:
        return {"type": "flag", "required": required}
    if annotation in (datetime, AwareDatetime):
        return {"type": "time", "required": required}
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return {"type": "code", "required": required, "codes": [member.value for member in annotation]}
    raise TypeError(f"{owner}.{name}: a payload holds UUIDs, codes (StrEnum), flags (bool) and times (datetime) only")
