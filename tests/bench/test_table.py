"""The benchmark's table: what a cell says, what a target's verdict is, and what survives as JSON."""

import json

import pytest

from bench.line import Figure
from bench.result import Cell, Result, Row
from bench.table import markdown
from bench.targets import judged


def made(*rows, quick=False):
    return Result("2 cores", 3, quick, {"nexara": "nexara", "pgqueuer": "PgQueuer"}, list(rows))


def row(line, ours, theirs=(), title="jobs, a second"):
    return Row(line, Figure(title), {"nexara": Cell(list(ours)), "pgqueuer": Cell(list(theirs))})


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (Cell([3000.0, 1000.0, 2000.0]), ("2,000", "1,000 to 3,000")),
        (Cell([1234.5]), ("1,234", "")),
        (Cell(["> 5 s", "> 5 s"]), ("> 5 s", "")),
        (Cell([10.0, "> 5 s"]), ("> 5 s", "")),
        (Cell([]), ("-", "")),
        (Cell([10.0], failed="worker-1 ended"), ("failed: worker-1 ended", "")),
    ],
)
def test_a_cell_says_its_median_and_spread_or_what_stands_in_their_place(cell, shown):
    assert cell.shown(Figure("jobs, a second")) == shown


def test_a_target_is_reached_or_missed_by_so_much():
    drains = [row("drain", [9000.0], [6000.0]), row("drain", [12_000.0], [10_000.0])]
    verdicts = {title: (value, verdict) for title, _, value, verdict in judged(made(*drains, row("save", [1600.0])))}
    assert verdicts["large burst of no-op jobs, times PgQueuer"] == ("1.20", "missed by 8%")
    assert verdicts["jobs that each write a row, a second"] == ("1,600", "reached")
    assert verdicts["large burst of no-op jobs, times raw dramatiq"] == ("", "not measured")


def test_quick_sizes_judge_nothing():
    verdicts = {verdict for _, _, _, verdict in judged(made(row("save", [1600.0]), quick=True))}
    assert verdicts == {"not judged: quick", "not measured"}


def test_a_result_comes_back_from_json_as_it_went():
    result = made(row("save", [1600.0, 1700.0], ["> 5 s"]), row("wal", [1.0]))
    again = Result.read(json.loads(json.dumps(result.as_json())))
    assert again == result
    assert markdown(again) == markdown(result)


def test_markdown_has_a_row_for_each_figure_and_each_target():
    said = markdown(made(row("save", [1600.0, 1700.0, 1500.0], [900.0], title="jobs that each write a row")))
    assert "| jobs that each write a row | 1,600 (1,500 to 1,700) | 900 |" in said
    assert "| jobs that each write a row, a second | ≥ 1,500 | 1,600 | reached |" in said
