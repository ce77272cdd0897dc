"""One line of the table."""

from dataclasses import dataclass

from bench.ending.place import Place
from bench.ending.web import p99

HEAD = (
    "| what | how fast | beside | ratio | enqueue p99: alone, beside, meanwhile | longest hold |\n"
    "| --- | --- | --- | --- | --- | --- |"
)


@dataclass(frozen=True, slots=True)
class Felt:
    """What the web tier felt, in milliseconds each: with nothing else, beside the bare statement, beside the engine."""

    alone: list[float]
    meanwhile: list[float]
    beside: list[float] | None = None

    def told(self) -> str:
        """Return it for a cell."""
        cells = [self.alone, *([] if self.beside is None else [self.beside]), self.meanwhile]
        return " → ".join(f"{p99(each):.1f}" for each in cells) + " ms"


def show(place: Place, what: str, fast: str, felt: Felt, beside: str = "", ratio: float | None = None) -> None:
    """Print it, as soon as it is known."""
    times = "" if ratio is None else f"{ratio:.2f}x"
    print(f"| {what} | {fast} | {beside} | {times} | {felt.told()} | {place.holds.longest():.0f} ms |", flush=True)


def rate(rows: int, seconds: float) -> str:
    """Return a speed."""
    return f"{rows / seconds:,.0f} a second"
