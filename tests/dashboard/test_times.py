"""Times that are typed: exact instants, in UTC where nothing says otherwise, and said so beside the field."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from ledger import moments
from tests.dashboard.pages import read
from tests.ledger.kinds import Dry

PAGES = ("/jobs", "/failures", "/audit")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("typed", "instant", "shown"),
    [
        ("2026-05-04T12:30", "2026-05-04T12:30:00Z", "2026-05-04T12:30"),
        ("2026-05-04T12:30:00.000Z", "2026-05-04T12:30:00Z", "2026-05-04T12:30"),
        ("2026-05-04T12:30:15+02:00", "2026-05-04T10:30:15Z", "2026-05-04T10:30:15"),
        ("2026-05-04T12:30:00.250Z", "2026-05-04T12:30:00.250000Z", "2026-05-04T12:30:00.250"),
    ],
)
def test_a_form_leads_to_an_address_with_the_instant_in_utc_and_shows_it_so(browser, path, typed, instant, shown):
    answer = browser.get(path, params={"since": typed, "until": ""})
    assert answer.status_code == 307
    page = browser.get(answer.headers["location"])
    assert answer.headers["location"] == f"{path}?since={instant.replace(':', '%3A')}"
    assert f'value="{shown}" data-instant="{instant}"' in page.text
    assert "<i>(<span data-zone>UTC</span>)</i>" in page.text


NO_TIMES = ("yesterday", "2026-05-04T12:30+25:00", "0001-01-01T00:00+14:00", "9999-12-31T23:59-01:00")


@pytest.mark.parametrize("typed", NO_TIMES)
@pytest.mark.parametrize("path", PAGES)
def test_a_time_that_is_none_says_what_one_looks_like(browser, path, typed):
    answer = browser.get(path, params={"since": typed, "until": ""})
    assert answer.status_code == 307
    wrong = browser.get(answer.headers["location"])
    assert (wrong.status_code, "A time in UTC, such as" in wrong.text) == (400, True)


def test_the_same_instant_finds_the_same_jobs_however_it_is_written(browser, ledger):
    early, late = (ledger.enqueue(Dry(wall_id=uuid4())) for _ in range(2))
    for job_id, at in ((early, "2026-05-04T10:00Z"), (late, "2026-05-04T11:00Z")):
        ledger.sql("UPDATE ledger.jobs SET enqueued_at = :at WHERE id = :id", at=moments.read(at), id=job_id)
    for since in ("2026-05-04T10:30", "2026-05-04T10:30:00.000Z", "2026-05-04T12:30+02:00", "2026-05-04T06:30-04:00"):
        page = read(browser.get("/jobs", params={"since": since}))
        assert f"/jobs/{late}" in page.hrefs
        assert f"/jobs/{early}" not in page.hrefs


def test_a_time_is_read_and_written_to_the_last_digit():
    exact = datetime(2026, 5, 4, 10, 30, 0, 123456, UTC)
    assert moments.read(moments.write(exact)) == exact
