"""What a handler's step may say besides its result."""

from dataclasses import dataclass
from datetime import datetime
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
    """One batch is done and there is more, from `cursor` on: ids, codes and times.

    `percent` is how much is done, 0 to 100, `doing` one word in snake_case; the job's page shows them.
    """

    cursor: dict[str, Any]
    percent: int | None = None
    doing: str | None = None


@dataclass(frozen=True, slots=True)
class Snooze:
    """It is too early: run the job again at this moment, within a year. No attempt is spent."""

    until: datetime


class Cancelled(Exception):
    """The job ends here: its handler found that there is nothing to do any more, or somebody asked for it."""

    def __init__(self, said: Cancel) -> None:
        super().__init__(said.reason)
        self.said = said


class Snoozed(Exception):
    """The handler found, while saving, that it is too early."""

    def __init__(self, said: Snooze) -> None:
        super().__init__("snoozed")
        self.said = said
