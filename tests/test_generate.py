"""What is generated: the README's tables are those of the code, and a stale one is noticed."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from docs import generate
from jobs.registry import load
from schedules.table import TIMETABLE
from settings import Settings

EMPTY = "# Title\n" + "".join(
    f"\n<!-- {name}: written by make docs -->\n<!-- end of {name} -->\n" for name in generate.TABLES
)


def test_the_readme_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    status = generate.main(["--check"])
    assert status == 0, capsys.readouterr().err


def test_every_job_schedule_and_setting_has_its_line() -> None:
    page = generate.filled(EMPTY)
    for job in load():
        assert f"| `{job.kind}` |" in page
    for schedule in TIMETABLE:
        assert f"| `{schedule.name}` |" in page
    for name, field in Settings.model_fields.items():
        assert f"| `{(field.alias or name).upper()}` |" in page
        assert field.description, f"{name} needs its reason"


def test_no_secret_has_a_default() -> None:
    for name, field in Settings.model_fields.items():
        if field.annotation is SecretStr:
            assert field.default.get_secret_value() == "", name
    line = next(line for line in generate.settings() if "DEEPGRAM_API_KEY" in line)
    assert "none: it is a secret" in line


def test_filling_twice_changes_nothing() -> None:
    once = generate.filled(EMPTY)
    assert generate.filled(once) == once


def test_a_stale_table_is_named_and_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "README.md"
    page.write_text(EMPTY)
    assert generate.main(["--check"], at=page) == 1
    assert "make docs" in capsys.readouterr().err
    assert page.read_text() == EMPTY


def test_a_readme_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for its settings"):
        generate.filled(EMPTY.partition("<!-- settings")[0])
