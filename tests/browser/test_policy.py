"""All pages as they are served to a real browser, which tells what breaks the policy that it was given."""

import re

import pytest
from starlette.routing import Route

from dashboard.app import ROUTES
from docs.demo_pages import OF_OFFICER
from models.operators import Role
from tests.browser.surfing import somebody

NO_PAGES = {"/healthz", "/sign-in/oidc", "/sign-in/oidc/back"}
"""What is got and is no page, or is one elsewhere."""


def test_no_page_breaks_its_content_security_policy_nor_complains_of_anything_else(visiting, pages):
    with visiting() as kim:
        walk(kim, [path for name, path in pages.items() if name not in OF_OFFICER])


def test_no_page_of_the_officer_does(visiting, pages):
    with visiting(Role.PRIVACY_OFFICER) as olu:
        walk(olu, [pages[name] for name in (*OF_OFFICER, "erasure")])


def walk(person, paths):
    elsewhere = []
    person.context.on("request", lambda asked: elsewhere.append(asked.url) if not local(asked.url) else None)
    for path in paths:
        answer = person.page.goto(path)
        assert answer.status == 200, path
        person.page.wait_for_function("document.documentElement.classList.contains('scripted')")
        assert person.complaints == [], path
    assert person.page.evaluate("typeof htmx") == "object", "the scripts did run"
    assert elsewhere == []


def test_a_page_that_does_break_the_policy_would_be_noticed(chromium, everything):
    _, here, _ = everything
    with somebody(chromium, here) as person:
        person.page.goto("/sign-in")
        person.page.evaluate(
            "document.body.append(Object.assign(document.createElement('img'), {src: 'https://x.test'}))"
        )
        person.page.wait_for_timeout(200)
        assert any(told.startswith("error: policy: img-src") for told in person.complaints)


@pytest.mark.parametrize("route", [each for each in ROUTES if isinstance(each, Route) and "GET" in each.methods])
def test_the_walk_comes_to_every_page_that_there_is(route, pages):
    if route.path in NO_PAGES:
        return
    walked = [path.partition("?")[0] for path in (*pages.values(), "/sign-in")]
    assert any(re.fullmatch(route.path_regex, path) for path in walked), "name it in docs/demo_pages.py"


def local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:"))
