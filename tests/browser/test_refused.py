"""What is refused whoever asks for it: a viewer who acts, and a form that is not this session's own."""

import pytest
from playwright.sync_api import expect

from models.ledger import State
from models.operators import Role
from tests.browser.surfing import enter

LOOKED_AT = ("/failures", "/jobs", "/queues", "/schedules", "/operations")


def token_of(person, path, action):
    """Return the token that a page gave this person's browser for an action."""
    person.page.goto(path)
    return person.page.locator(f"form[action='{action}'] input[name=token]").input_value()


def test_a_viewer_sees_nothing_to_press_on_any_page(jobs, come):
    vic = come("vic", Role.VIEWER)
    for path in (*LOOKED_AT, *(f"/jobs/{job_id}" for job_id in jobs.values())):
        vic.page.goto(path)
        assert vic.page.locator("form[method=post]").evaluate_all("all => all.map(f => f.getAttribute('action'))") == [
            "/sign-out"
        ], path
        expect(vic.page.locator("a.button").filter(has_text="…")).to_have_count(0)
    assert vic.complaints == []


def test_a_viewer_cannot_act_with_a_request_that_is_forged_inside_the_browser(app, ledger, jobs, come):
    vic, kim = come("vic", Role.VIEWER), come("kim", Role.OPERATOR)
    dead = jobs[State.DEAD]
    path = f"/jobs/{dead}/retry"
    borrowed = token_of(kim, f"/jobs/{dead}", path)
    own = token_of(vic, f"/jobs/{dead}", "/sign-out")
    before = ledger.sql("SELECT count(*) FROM ledger.audit")
    for address, fields in (
        (path, {}),
        (path, {"token": own}),
        (path, {"token": borrowed}),
        (f"/jobs/{dead}/discard", {"token": own}),
        ("/operations", {"token": own, "action": "retry", "state": "dead", "why": "because", "spread": "0"}),
        ("/pauses", {"token": own, "what": "queue:walls", "why": "because"}),
        ("/operators", {"token": own, "name": "vic2", "role": "admin", "password": "x" * 12}),
        ("/operators/vic/role", {"token": own, "role": "admin"}),
    ):
        status, said = vic.post(address, fields)
        assert (status, "nothing was changed" in said.lower()) == (403, True), address
    assert ledger.job(dead).state == "dead"
    assert ledger.sql("SELECT count(*) FROM ledger.operations") == 0
    assert ledger.sql("SELECT count(*) FROM ledger.audit") == before


def test_a_role_that_is_taken_away_makes_the_buttons_that_are_still_shown_useless(ledger, jobs, come):
    kim = come("kim", Role.OPERATOR)
    kim.page.goto(f"/jobs/{jobs[State.DEAD]}")
    ledger.sql("UPDATE ledger.operators SET role = 'viewer' WHERE name = 'kim'")
    kim.page.get_by_role("button", name="Retry", exact=True).click()
    expect(kim.page.get_by_role("heading", level=1)).to_have_text("Refused")
    expect(kim.page.locator("main")).to_contain_text("Your role is to look")
    assert ledger.job(jobs[State.DEAD]).state == "dead"


@pytest.mark.parametrize("whose", ["without a token", "with a made-up token", "with the token of another session"])
def test_a_form_is_refused_with_a_page_that_helps(app, here, ledger, jobs, come, stranger, whose):
    kim = come("kim", Role.OPERATOR)
    dead = jobs[State.DEAD]
    path = f"/jobs/{dead}/retry"
    given = {"without a token": None, "with a made-up token": "x.y.z"}
    if whose not in given:  # of the same person, in another browser
        enter(app, stranger, here, ledger.sql("SELECT id FROM ledger.operators WHERE name = 'kim'"))
        given[whose] = token_of(stranger, f"/jobs/{dead}", path)
    kim.page.goto(f"/jobs/{dead}")
    field = kim.page.locator(f"form[action='{path}'] input[name=token]")
    field.evaluate("(field, given) => given === null ? field.remove() : (field.value = given)", given[whose])
    kim.page.get_by_role("button", name="Retry", exact=True).click()
    expect(kim.page.get_by_role("heading", level=1)).to_have_text("Refused")
    expect(kim.page.locator("main")).to_contain_text("nothing was changed. Open the page again, and act there.")
    expect(kim.page.get_by_role("navigation", name="Pages")).to_be_visible()
    assert ledger.job(dead).state == "dead"
    kim.page.go_back()
    kim.page.reload()
    kim.page.get_by_role("button", name="Retry", exact=True).click()
    expect(kim.page.get_by_role("status").first).to_contain_text("The job is available again")
    assert ledger.job(dead).state == "available"
