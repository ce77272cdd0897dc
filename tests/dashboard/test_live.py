"""Pages follow what happens by asking for their changing part alone; without scripts they load anew, as they did."""

import re
from pathlib import Path

import pytest

from dashboard.assets import FOLDER
from models.ledger import State
from tests.dashboard.pages import read

PART = {"hx-request": "true"}
FOLLOWING = ("/", "/jobs", "/queues", "/schedules")


@pytest.mark.parametrize("path", FOLLOWING)
def test_a_page_that_follows_asks_for_its_part_and_gets_no_more(browser, jobs, path):
    page = browser.get(path)
    asks = re.search(r'<div id="live" hx-get="([^"]+)" hx-trigger="every 5s, look"', page.text)
    assert asks
    part = browser.get(asks[1].replace("&amp;", "&"), headers=PART)
    assert part.status_code == 200
    for frame in ("<header", "<footer", "<html", "<script"):
        assert frame in page.text
        assert frame not in part.text
    whole = page.text.split('<div id="live"')[1]
    for heading in re.findall(r"<h2[^>]*>", part.text):
        assert heading in whole


def test_a_part_keeps_the_filter_of_its_page(browser, jobs):
    page = browser.get("/jobs?state=dead&kind=walls.paint")
    asks = re.search(r'hx-get="([^"]+)"', page.text)[1].replace("&amp;", "&")
    part = read(browser.get(asks, headers=PART))
    assert f"/jobs/{jobs[State.DEAD]}" in part.hrefs
    assert f"/jobs/{jobs[State.PARKED]}" not in part.hrefs


def test_nothing_that_is_typed_into_stands_in_a_part(browser, jobs):
    """It would be overwritten while somebody types."""
    for path in (*FOLLOWING, *(f"/jobs/{job_id}" for job_id in jobs.values())):
        part = browser.get(path, headers=PART).text
        typed = re.findall(r'<(?:textarea|select|input(?![^>]*type="(?:hidden|checkbox)"))[^>]*>', part)
        assert typed == [], path


def test_the_page_of_a_job_follows_it_to_its_end_and_then_asks_no_more(browser, ledger, jobs):
    waiting = f"/jobs/{jobs[State.DISPATCHED]}"
    assert 'hx-get="' in browser.get(waiting).text
    assert browser.get(waiting, headers=PART).status_code == 200
    ledger.sql(
        "UPDATE ledger.jobs SET state = 'succeeded', finished_at = now() WHERE id = :id", id=jobs[State.DISPATCHED]
    )
    ended = browser.get(waiting, headers=PART)
    assert ended.status_code == 286
    assert "badge state-succeeded" in ended.text
    assert 'hx-get="' not in browser.get(waiting).text


def test_a_page_that_is_paused_asks_for_nothing(browser, jobs):
    assert "hx-get" not in browser.get("/?live=off").text
    assert "hx-get" not in browser.get(f"/jobs?after={jobs[State.DEAD]}").text


def test_without_scripts_a_page_that_follows_loads_anew(browser, jobs):
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in browser.get("/").text
    assert "http-equiv" not in browser.get("/kinds").text


def test_what_a_page_loads_is_there_and_says_whose_it_is(browser):
    page = read(browser.get("/"))
    vendored = [script for script in page.scripts if "/vendor/" in script]
    for script in page.scripts:
        assert browser.get(script).status_code == 200
    assert len(vendored) == 3
    for script in vendored:
        library = Path(script).name.partition("-")[0]
        assert (
            "without fee" in (FOLDER / "vendor" / f"{library}.LICENSE").read_text()
            or "free of charge" in (FOLDER / "vendor" / f"{library}.LICENSE").read_text()
        )


def test_no_script_of_ours_needs_what_the_policy_forbids():
    code = (FOLDER / "page.js").read_text()
    for forbidden in ("eval(", "new Function", "innerHTML", '.setAttribute("style"', "setAttribute('style'"):
        assert forbidden not in code
