"""Every action is a form: with scripts switched off all of it works, slower."""

from uuid import uuid4

import pytest
from playwright.sync_api import expect

from models.ledger import State
from models.operators import Role
from tests.ledger.operating import PRINT, Upkeep, fail


@pytest.fixture
def kim(come):
    """An operator whose browser runs no script."""
    return come("kim", Role.OPERATOR, java_script_enabled=False)


def test_a_job_is_retried_and_its_page_turns_green_by_loading_anew(ledger, jobs, kim):
    dead = jobs[State.DEAD]
    ledger.script.load = lambda _, wall: wall
    ledger.script.call = lambda _: "painted"
    kim.page.goto(f"/jobs/{dead}")
    kim.page.get_by_role("button", name="Retry", exact=True).click()
    expect(kim.page.get_by_role("status").first).to_contain_text("The job is available again")
    ledger.run()
    expect(kim.page.locator("#live .badge").first).to_have_text("succeeded")


def test_a_queue_is_paused_and_resumed_and_what_one_types_is_not_lost_meanwhile(ledger, kim):
    kim.page.goto("/queues")
    kim.page.locator("#queue-walls").get_by_role("link", name="Pause…").click()
    kim.page.wait_for_load_state()  # what is focused before its anchor is reached loses the focus again
    kim.page.get_by_label("Why").focus()
    kim.page.keyboard.type("the vendor is down", delay=400)  # for longer than pages take to load anew
    expect(kim.page.get_by_label("Why")).to_have_value("the vendor is down")
    kim.page.get_by_role("button", name="Pause", exact=True).click()
    expect(kim.page.get_by_text("the vendor is down")).to_be_visible()
    assert ledger.sql("SELECT count(*) FROM ledger.pauses WHERE queue = 'walls' AND ended_at IS NULL") == 1
    kim.page.locator("#queue-walls").get_by_role("button", name="Resume").click()
    expect(kim.page.get_by_text("Nothing is paused.")).to_be_visible()
    assert ledger.sql("SELECT count(*) FROM ledger.pauses WHERE ended_at IS NULL") == 0


def test_a_group_is_retried_and_the_page_of_the_operation_shows_it_to_its_end(ledger, kim):
    fail(ledger, 120, kind="walls.dry")
    others = fail(ledger, 30, fingerprint=uuid4().hex[:16])
    kim.page.goto("/failures")
    kim.page.locator(f"#failure-{PRINT}").get_by_role("link", name="Retry all").click()
    kim.page.get_by_label("Why").fill("it is mended")
    kim.page.get_by_label("They come due").select_option(label="at once")
    kim.page.get_by_role("button", name="Retry 120 jobs").click()
    expect(kim.page.locator("#live")).to_contain_text("0 retried, 0 left out, 120 to do")
    Upkeep(ledger).to_the_end()
    while ledger.run():
        pass
    expect(kim.page.locator("#live")).to_contain_text("120 retried, 0 left out, 0 not come to.")
    expect(kim.page.get_by_role("region", name="What became of them").locator("dl")).to_contain_text("succeeded")
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE state = 'dead'") == len(others)


def test_jobs_that_are_ticked_are_retried_together(ledger, kim):
    ids = fail(ledger, 5)
    kim.page.goto("/jobs?state=dead")
    for job_id in ids[:2]:
        kim.page.locator(f"input[name=job][value='{job_id}']").check()
    kim.page.get_by_role("button", name="Retry", exact=False).first.click()
    expect(kim.page.get_by_role("heading", level=1)).to_have_text("Retry 2 jobs?")


def test_the_rest_of_an_operation_is_cancelled_and_what_one_types_is_not_lost_meanwhile(ledger, kim):
    fail(ledger, 20, kind="walls.dry")
    kim.page.goto(f"/operations/new?action=retry&failing={PRINT}")
    kim.page.get_by_label("Why").fill("it is mended")
    kim.page.get_by_role("button", name="Retry 20 jobs").click()
    kim.page.get_by_role("link", name="Cancel the rest…").click()
    kim.page.get_by_label("Why").focus()
    kim.page.keyboard.type("it is not mended", delay=400)  # for longer than pages take to load anew
    expect(kim.page.get_by_label("Why")).to_have_value("it is not mended")
    kim.page.get_by_role("button", name="Cancel the rest").click()
    expect(kim.page.locator("#live")).to_contain_text("by kim: it is not mended")
    assert ledger.sql("SELECT state FROM ledger.operations") == "cancelled"
