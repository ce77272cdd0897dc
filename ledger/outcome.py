"""What a handler's step may say besides its result."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Cancel:
    """There is nothing to do any more; `reason` is a short code."""

    reason: str


@dataclass(frozen=True, slots=True)
class Known(Generic[A]):
    """The answer is known without asking the vendor."""

    answer: A


@dataclass(frozen=True, slots=True)
class Again:
    """One batch is done and there is more, from `cursor` on: ids, codes and times."""

    cursor: dict[str, Any]
