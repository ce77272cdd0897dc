"""The days by which data is gone, as settings: an order that keeps no promise is refused before anything runs."""

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"retention_vendors_days": "40"},
            "RETENTION_VENDORS_DAYS: Value error, must not be less than RETENTION_ROWS_DAYS",
        ),
        (
            {"retention_last_days": "49"},
            "RETENTION_LAST_DAYS: Value error, must not be less than RETENTION_VENDORS_DAYS",
        ),
        ({"retention_last_days": "61"}, "RETENTION_LAST_DAYS: Input should be less than or equal to 60"),
        ({"retention_rows_days": "0"}, "RETENTION_ROWS_DAYS: Input should be greater than or equal to 1"),
    ],
)
def test_days_that_keep_no_promise_are_refused(run: Run, settings: dict[str, str], words: str) -> None:
    refused = run("doctor", **settings)
    assert refused.exit_code == 2
    assert words in refused.stderr


def test_a_forecast_needs_on_call_s_database(run: Run) -> None:
    refused = run("retention", "forecast")
    assert (refused.exit_code, "DASHBOARD_DATABASE_URL" in refused.stderr) == (2, True)
