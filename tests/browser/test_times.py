"""Times that one types are of the reader's clock; what is sent, and stands in the address, is the instant in UTC."""

from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from ledger import moments
from models.operators import Role
from tests.ledger.kinds import Dry

NEW_YORK, KOLKATA = {"timezone_id": "America/New_York"}, {"timezone_id": "Asia/Kolkata"}
EARLY, LATE = "2026-05-04T12:00:00Z", "2026-05-04T13:00:00Z"
BETWEEN = "2026-05-04T12:30:00Z"
"""Half past eight in New York, six in the evening in Kolkata."""


@pytest.fixture
def early_and_late(ledger):
    """Two jobs, an hour apart."""
    ids = [ledger.enqueue(Dry(wall_id=uuid4())) for _ in range(2)]
    for job_id, at in zip(ids, (EARLY, LATE), strict=True):
        ledger.sql("UPDATE ledger.jobs SET enqueued_at = :at WHERE id = :id", at=moments.read(at), id=job_id)
    return ids


def since(page):
    return parse_qs(urlsplit(page.url).query).get("since")


def show_since(page, typed):
    page.goto("/jobs")
    page.locator("#filters summary").click()
    page.get_by_label("Since").fill(typed)
    page.get_by_role("button", name="Show").click()


def test_a_time_is_typed_by_the_reader_s_clock_and_means_the_same_to_another_reader(early_and_late, come):
    early, late = early_and_late
    kim, lou = come("kim", Role.VIEWER, **NEW_YORK), come("lou", Role.VIEWER, **KOLKATA)
    show_since(kim.page, "2026-05-04T08:30")
    expect(kim.page.locator(f"#job-{late}")).to_be_visible()
    expect(kim.page.locator(f"#job-{early}")).to_have_count(0)
    assert since(kim.page) == [BETWEEN]
    expect(kim.page.get_by_label("Since")).to_have_value("2026-05-04T08:30")
    expect(kim.page.locator("label").filter(has_text="Since")).to_contain_text("America/New_York")

    lou.page.goto(kim.page.url)
    expect(lou.page.get_by_label("Since")).to_have_value("2026-05-04T18:00")
    expect(lou.page.locator(f"#job-{early}")).to_have_count(0)
    lou.page.get_by_label("Since").fill("2026-05-04T17:00")
    lou.page.get_by_role("button", name="Show").click()
    expect(lou.page.locator(f"#job-{early}")).to_be_visible()
    assert since(lou.page) == ["2026-05-04T11:30:00Z"]
    assert [kim.complaints, lou.complaints] == [[], []]


def test_an_instant_that_nobody_touched_is_sent_as_it_came(early_and_late, come):
    """In the hour that an autumn night has twice, a clock alone does not say which one is meant."""
    page = come("kim", Role.VIEWER, **NEW_YORK).page
    for exact in ("2026-11-01T06:30:00Z", "2026-05-04T12:30:15.123456Z"):
        page.goto(f"/jobs?since={exact}")
        page.get_by_label("Kind").select_option(label="walls.dry")
        page.get_by_role("button", name="Show").click()
        page.wait_for_url("**kind=walls.dry**")
        assert since(page) == [exact]


def test_without_scripts_times_are_in_utc_and_it_says_so(early_and_late, come):
    early, late = early_and_late
    page = come("kim", Role.VIEWER, java_script_enabled=False, **NEW_YORK).page
    show_since(page, "2026-05-04T12:30")
    expect(page.locator(f"#job-{late}")).to_be_visible()
    expect(page.locator(f"#job-{early}")).to_have_count(0)
    assert since(page) == [BETWEEN]
    expect(page.get_by_label("Since")).to_have_value("2026-05-04T12:30")
    expect(page.locator("label").filter(has_text="Since")).to_contain_text("Since (UTC)")


def test_a_job_is_put_off_until_a_moment_of_the_reader_s_clock(ledger, come):
    waits = ledger.enqueue(Dry(wall_id=uuid4()))
    page = come("kim", Role.OPERATOR, **KOLKATA).page
    page.goto(f"/jobs/{waits}/snooze")
    page.get_by_label("Or until").fill("2099-05-04T18:00")
    page.get_by_role("button", name="Put off").click()
    expect(page.get_by_role("alert")).to_contain_text("within a year from now")
    expect(page.get_by_label("Or until")).to_have_value("2099-05-04T18:00")
    soon = ledger.sql("SELECT to_char(now() AT TIME ZONE 'Asia/Kolkata' + interval '1 day', 'YYYY-MM-DD\"T\"HH24:MI')")
    page.get_by_label("Or until").fill(soon)
    page.get_by_role("button", name="Put off").click()
    expect(page.get_by_role("status").first).to_contain_text("The job is put off.")
    hours = "SELECT round(extract(epoch FROM run_at - now()) / 3600) FROM ledger.jobs WHERE id = :id"
    assert ledger.sql(hours, id=waits) == 24
