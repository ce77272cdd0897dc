"""The jobs that ended in each minute of the last hour, as bars."""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.queries import Minute

WIDTH, HEIGHT, GAP = 720, 120, 2


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute, in units of the drawing: the failed stand on the succeeded."""

    minute: Minute
    x: float
    width: float
    succeeded_y: float
    succeeded_height: float
    dead_y: float
    dead_height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars of an hour; `top` is the number of jobs that reaches full height."""

    bars: tuple[Bar, ...]
    top: int
    succeeded: int
    dead: int
    about: bool
    width: int = WIDTH
    height: int = HEIGHT


def draw(minutes: Sequence[Minute]) -> Chart:
    """Draw the minutes, oldest at the left."""
    top = max((minute.succeeded + minute.dead for minute in minutes), default=0)
    return Chart(
        bars=tuple(_bar(minute, place, len(minutes), top or 1) for place, minute in enumerate(minutes)),
        top=top,
        succeeded=sum(minute.succeeded for minute in minutes),
        dead=sum(minute.dead for minute in minutes),
        about=any(minute.about for minute in minutes),
    )


def _bar(minute: Minute, place: int, count: int, top: int) -> Bar:
    step = WIDTH / count
    succeeded, dead = _height(minute.succeeded, top), _height(minute.dead, top)
    return Bar(
        minute=minute,
        x=round(place * step, 2),
        width=round(step - GAP, 2),
        succeeded_y=round(HEIGHT - succeeded, 2),
        succeeded_height=succeeded,
        dead_y=round(max(0.0, HEIGHT - succeeded - dead), 2),
        dead_height=dead,
    )


def _height(count: int, top: int) -> float:
    """Return a bar's height; what happened at all stays visible beside what happened often."""
    return round(max(3.0, HEIGHT * count / top), 2) if count else 0.0
