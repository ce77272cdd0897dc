"""What ended over time, as bars: up what succeeded, with what died on it; down the attempts that failed."""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.queries import Slot, Span

WIDTH, UP, DOWN, GAP = 720, 110, 50, 2
LEAST = 3.0
"""Height of what happened at all: it stays visible beside what happened often."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One slot, in units of the drawing."""

    slot: Slot
    x: float
    width: float
    succeeded: float
    dead: float
    failed: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars of a span; `top` is the most jobs that ended in one of them, `most_failed` the most failed attempts."""

    span: Span
    bars: tuple[Bar, ...]
    top: int
    most_failed: int
    succeeded: int
    dead: int
    failed: int
    about: bool
    width: int = WIDTH
    up: int = UP
    down: int = DOWN

    @property
    def empty(self) -> bool:
        """Whether nothing happened."""
        return not self.top and not self.most_failed


def draw(slots: Sequence[Slot], span: Span) -> Chart:
    """Draw slots, oldest at the left: one scale for both directions, so that they can be compared."""
    top = max((slot.succeeded + slot.dead for slot in slots), default=0)
    most_failed = max((slot.failed for slot in slots), default=0)
    unit = min(UP / max(top, 1), DOWN / max(most_failed, 1))
    return Chart(
        span=span,
        bars=tuple(_bar(slot, place, len(slots), unit) for place, slot in enumerate(slots)),
        top=top,
        most_failed=most_failed,
        succeeded=sum(slot.succeeded for slot in slots),
        dead=sum(slot.dead for slot in slots),
        failed=sum(slot.failed for slot in slots),
        about=any(slot.about for slot in slots),
    )


def _bar(slot: Slot, place: int, count: int, unit: float) -> Bar:
    step = WIDTH / count
    return Bar(
        slot=slot,
        x=round(place * step, 2),
        width=round(step - GAP, 2),
        succeeded=_height(slot.succeeded, unit),
        dead=_height(slot.dead, unit),
        failed=_height(slot.failed, unit),
    )


def _height(count: int, unit: float) -> float:
    return round(max(LEAST, count * unit), 2) if count else 0.0
