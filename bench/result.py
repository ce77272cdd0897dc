"""What a run gave: every value of every round, how it is summed up, and its form as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from bench.line import Figure, Value

LACKS = "-"


@dataclass
class Cell:
    """One engine's rounds of one row; `failed` says why there are none."""

    values: list[Value] = field(default_factory=list)
    failed: str = ""

    @property
    def numbers(self) -> list[float]:
        """Return the rounds that gave a figure."""
        return [value for value in self.values if isinstance(value, float | int)]

    @property
    def median(self) -> float | None:
        """Return the median, if every round gave a figure."""
        return median(self.numbers) if self.numbers and len(self.numbers) == len(self.values) else None

    def shown(self, figure: Figure) -> tuple[str, str]:
        """Return what stands in the table, and the spread beside it."""
        if self.failed:
            return f"failed: {self.failed}", ""
        said = [value for value in self.values if isinstance(value, str)]
        if said:
            return said[0], ""
        if self.median is None:
            return LACKS, ""
        least, most = (figure.form.format(end(self.numbers)) for end in (min, max))
        return figure.form.format(self.median), f"{least} to {most}" if len(self.numbers) > 1 else ""


@dataclass
class Row:
    """One row of the table."""

    line: str
    figure: Figure
    cells: dict[str, Cell]


@dataclass
class Result:
    """The whole run."""

    machine: str
    rounds: int
    quick: bool
    titles: dict[str, str]
    """What the table calls each engine, in the order of its columns."""
    rows: list[Row] = field(default_factory=list)

    def row(self, line: str, place: int = 0) -> Row | None:
        """Return a line's row, if it was measured."""
        rows = [row for row in self.rows if row.line == line]
        return rows[place] if place < len(rows) else None

    def median(self, engine: str, line: str, place: int = 0) -> float | None:
        """Return one engine's median."""
        row = self.row(line, place)
        cell = row.cells.get(engine) if row else None
        return cell.median if cell else None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Result":
        """Return what as_json gave."""
        rows: Sequence[Mapping[str, Any]] = stored["rows"]
        return cls(
            machine=stored["machine"],
            rounds=stored["rounds"],
            quick=stored["quick"],
            titles=stored["titles"],
            rows=[
                Row(
                    row["line"],
                    Figure(**row["figure"]),
                    {engine: Cell(**cell) for engine, cell in row["cells"].items()},
                )
                for row in rows
            ],
        )
