"""Something that is made when it is first needed, and only then, whichever threads ask for it."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Once(Generic[Made]):
    """Call it to get what `make` returned the first time; a failed first time is tried again by the next."""

    __slots__ = ("_lock", "_made", "_make")

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._lock = Lock()
        self._made: list[Made] = []

    def __call__(self) -> Made:
        """Return it, making it first if nobody has."""
        if not self._made:
            with self._lock:
                if not self._made:
                    self._made.append(self._make())
        return self._made[0]

    @property
    def made(self) -> Made | None:
        """What was made, None while nobody has asked for it."""
        return self._made[0] if self._made else None
