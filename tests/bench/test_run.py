"""The benchmark itself, run small: the peers are not installed and say so, and the engine is measured all the same."""

import json
import subprocess
import sys

from tests.architecture.sources import ROOT


def bench(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )


def test_an_engine_that_fails_says_why_in_its_cell_and_ends_nothing(tmp_path):
    written = tmp_path / "result.json"
    ran = bench("--quick", "--only", "bulk-sql,bulk-copy,latency", "--peers", "nexara,celery",
                "--peers-python", str(tmp_path / "none"), "--json", str(written), "--markdown")  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    rows = json.loads(written.read_text())["rows"]
    cells = {(row["line"], engine): cell for row in rows for engine, cell in row["cells"].items()}
    assert cells["bulk-sql", "nexara"]["values"][0] > 100
    assert 0 < cells["latency", "nexara"]["values"][0] < 10_000
    assert cells["bulk-sql", "celery"]["failed"] == "not installed: `make bench` does it"
    assert "failed: not installed" in ran.stdout


def test_a_line_that_there_is_not_is_refused_with_those_that_there_are():
    ran = bench("--only", "drian")
    assert ran.returncode == 2
    assert "there is no drian; there are enqueue, bulk-sql" in ran.stderr
