"""The benchmark of ending data, run small: each line ends what it made, and says so in a row of the table."""

import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT

SMALL = ["--rows", "2000", "--messages", "2000", "--quiet", "0.2"]
SAID = {
    "sweep": "| sweep of 2,000 rows |",
    "months": "| 2,000 conversations of 12 months counted |",
    "person": "| one person: 2,022 rows, 2,000 of them messages",
    "business": "| a business with 2,001 rows;",
}


@pytest.mark.parametrize("line", SAID)
def test_each_line_ends_what_it_made_and_says_how_fast(line):
    ran = subprocess.run(
        [sys.executable, "-m", "bench.ending", *SMALL, "--only", line],
        cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("| what | how fast |")
    assert SAID[line] in ran.stdout
