"""The result as a table: on a terminal, and as Markdown for docs/benchmarks.md."""

from rich.console import Console
from rich.table import Table

from bench.result import Result
from bench.targets import judged


def show(result: Result, console: Console) -> None:
    """Print it."""
    table = Table(title=_title(result), show_lines=True)
    table.add_column("", justify="left", ratio=2)
    for title in result.titles.values():
        table.add_column(title, justify="right", ratio=1)
    for row in result.rows:
        cells = []
        for engine in result.titles:
            value, spread = row.cells[engine].shown(row.figure) if engine in row.cells else ("", "")
            cells.append(f"{value}\n[dim]{spread}[/dim]" if spread else value)
        table.add_row(row.figure.title, *cells)
    console.print(result.machine)
    console.print(table)
    verdicts = Table(title="targets of nexara")
    for heading in ("", "wanted", "measured", ""):
        verdicts.add_column(heading)
    for judgement in judged(result):
        verdicts.add_row(*judgement)
    console.print(verdicts)


def markdown(result: Result) -> str:
    """Return it as Markdown."""
    lines = [f"{result.machine}. {_title(result).capitalize()}.", ""]
    lines += _rows(["", *result.titles.values()])
    for row in result.rows:
        cells = []
        for engine in result.titles:
            value, spread = row.cells[engine].shown(row.figure) if engine in row.cells else ("", "")
            cells.append(f"{value} ({spread})" if spread else value)
        lines.append(_row([row.figure.title, *cells]))
    lines += ["", *_rows(["target", "wanted", "measured", ""])]
    lines += [_row(list(judgement)) for judgement in judged(result)]
    return "\n".join(lines) + "\n"


def _title(result: Result) -> str:
    quick = "quick sizes, which show only that it runs; " if result.quick else ""
    return f"{quick}medians of {result.rounds} rounds, turn by turn, least to most beside them"


def _rows(headings: list[str]) -> list[str]:
    return [_row(headings), _row(["---"] * len(headings))]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
