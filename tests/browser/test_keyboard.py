"""Everything by keyboard alone, and always seen where one is."""

from playwright.sync_api import expect

from models.ledger import State
from models.operators import Role

MOST_TABS = 60
OUTLINE = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
}"""
NAME = "() => document.activeElement.innerText || document.activeElement.getAttribute('aria-label') || ''"


def test_the_first_tab_leads_past_the_navigation_to_the_page_itself(jobs, come):
    page = come().page
    page.goto("/jobs")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the page")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_a_job_is_retried_by_keyboard_alone_and_where_one_is_is_always_seen(ledger, jobs, come):
    page = come("kim", Role.OPERATOR).page
    page.goto(f"/jobs/{jobs[State.DEAD]}")
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        assert page.evaluate(OUTLINE), f"nothing shows that {page.evaluate(NAME)} is focused"
        if page.evaluate(NAME) == "Retry":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("The job is available again")
    assert ledger.job(jobs[State.DEAD]).state == "available"


def test_focus_stays_where_it_is_while_the_page_follows_what_happens(ledger, jobs, come):
    page = come("kim", Role.OPERATOR).page
    page.goto("/queues")
    pause = page.locator("#queue-walls").get_by_role("link", name="Pause…")
    pause.focus()
    with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true"):
        pass
    page.wait_for_timeout(200)
    expect(pause).to_be_focused()
