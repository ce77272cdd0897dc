"""Signing in and out, as a person does it: with a keyboard, in a form."""

from playwright.sync_api import expect

from dashboard.signing_in import WRONG
from tests.browser.surfing import Person
from tests.dashboard.people import PASSWORD, USER, add


def fill_in(person: Person, name: str, password: str) -> None:
    person.page.get_by_label("Name").fill(name)
    person.page.get_by_label("Password").fill(password)
    person.page.get_by_role("button", name="Sign in").click()


def test_a_name_and_its_password_lead_to_the_page_that_was_asked_for_and_signing_out_leads_away(app, stranger):
    add(app, USER, "operator")
    page = stranger.page
    page.goto("/failures?state=dead")
    expect(page).to_have_title("Sign in · Nexara staging")
    fill_in(stranger, USER, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Failures")
    assert page.url.endswith("/failures?state=dead")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("You are signed out.")
    page.go_back()
    page.goto("/jobs")
    expect(page).to_have_title("Sign in · Nexara staging")
    assert stranger.complaints == []


def test_a_wrong_name_and_a_wrong_password_are_told_in_the_same_words(app, stranger):
    add(app, USER, "operator")
    told = []
    for name, password in ((USER, "not this one"), ("nobody", PASSWORD)):
        stranger.page.goto("/sign-in")
        fill_in(stranger, name, password)
        told.append(stranger.page.get_by_role("alert").inner_text())
        expect(stranger.page.get_by_label("Name")).to_have_value(name)
        expect(stranger.page.get_by_label("Password")).to_have_value("")
    assert told == [WRONG, WRONG]
    assert [each["name"] for each in stranger.context.cookies()] == ["nexara-visit"]
