"""Triage: what fails, a group of it retried or discarded after a look and a reason, and how far that is."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.ledger import State
from tests.dashboard.pages import press, read
from tests.dashboard.people import token
from tests.ledger.operating import PRINT, Upkeep, fail, operation

OTHER = "fedcba9876543210"
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.fixture
def upkeep(ledger):
    return Upkeep(ledger)


def ask(browser, how="retry", of=f"failing={PRINT}", **typed):
    """Open the question, answer it, and return what came of that."""
    form = read(browser.get(f"/operations/new?action={how}&{of}")).form("/operations")
    return browser.post(form.action, data={**form.fields, "why": "the vendor is back", "spread": "0", **typed})


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_failures_are_listed_by_what_failed_alike_with_what_can_be_done(browser, ledger):
    fail(ledger, 200)
    fail(ledger, 100, state="parked", kind="walls.dry", fingerprint=OTHER, business=ledger.other)
    page = browser.get("/failures")
    assert [group[:2] for group in re.findall(r'id="failure-(\w+)">.*?<b>(\d+)</b>', page.text, re.DOTALL)] == [
        (PRINT, "200"),
        (OTHER, "100"),
    ]
    for said in ("no_such_wall", "There is no such wall.", "jobs/walls/paint.py:7 call", "gave up"):
        assert said in page.text
    hrefs = read(page).hrefs
    assert f"/operations/new?action=retry&failing={PRINT}" in hrefs
    assert f"/failures/{PRINT}" in hrefs
    assert "walls.dry" not in words(browser.get(f"/failures?business={ledger.business}")).split("The largest first")[1]
    assert "No job that failed passes" in browser.get("/failures?state=retryable").text
    wrong = browser.get("/failures?state=running")
    assert (wrong.status_code, "A failed job is one of" in wrong.text) == (400, True)


def test_nothing_fails_is_said_and_what_would_stand_there(browser):
    assert "Nothing fails." in browser.get("/failures").text


def test_a_failure_tells_its_hours_a_sample_and_pages_of_its_jobs(browser, ledger):
    ids = fail(ledger, 120)
    seen, path = set(), f"/failures/{PRINT}"
    while path:
        page = browser.get(path)
        assert page.status_code == 200
        seen |= set(map(int, re.findall(r'id="job-(\d+)"', page.text)))
        path = read(page).links.get("Next")
    assert seen == set(ids)
    first = words(browser.get(f"/failures/{PRINT}"))
    for said in ("120 jobs of 1 business have failed so", "The last 24 h", "A sample", "There is no such wall."):
        assert said in first


def test_a_failure_that_nobody_has_any_more_says_what_became_of_it(browser, ledger, upkeep):
    fail(ledger, 3)
    ask(browser, "discard")
    upkeep.to_the_end()
    page = browser.get(f"/failures/{PRINT}")
    assert "No job fails so any more." in page.text
    assert f"/jobs?fingerprint={PRINT}" in read(page).hrefs
    assert browser.get("/failures/never_seen").status_code == 404
    assert browser.get("/failures/%3Cscript%3E").status_code == 404


def test_a_group_is_counted_and_shown_before_anybody_says_yes(browser, ledger):
    fail(ledger, 30)
    fail(ledger, 12, state="parked")
    page = browser.get(f"/operations/new?action=retry&failing={PRINT}")
    assert "Retry 42 jobs?" in page.text
    assert "dead 30" in words(page)
    assert "parked 12" in words(page)
    assert len(re.findall(r'<a href="/jobs/\d+">\d+</a>', page.text)) == 10
    assert ledger.sql("SELECT count(*) FROM ledger.operations") == 0
    narrowed = browser.get(f"/operations/new?action=discard&failing={PRINT}&state=parked")
    assert "Discard 12 jobs?" in narrowed.text
    assert "can be retried" in browser.get("/operations/new?action=retry&failing=none").text
    assert browser.get("/operations/new?action=sell&failing=none").status_code == 400


def test_one_group_of_two_is_retried_and_its_page_follows_it_to_green(browser, ledger, upkeep):
    fail(ledger, 200, kind="walls.dry")
    others = fail(ledger, 100, fingerprint=OTHER)
    answer = ask(browser)
    assert answer.status_code == 303
    here = answer.headers["location"]
    begun = browser.get(here)
    assert "0 retried, 0 left out, 200 to do" in words(begun)
    assert 'http-equiv="refresh"' in begun.text
    assert "the vendor is back" in begun.text
    upkeep.to_the_end()
    assert "200 retried, 0 left out, 0 not come to" in words(browser.get(here))
    for _ in range(3):
        ledger.run()
    done = browser.get(here)
    assert re.search(r"succeeded 200", words(done))
    assert 'http-equiv="refresh"' not in done.text
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE state = 'dead'") == len(others)
    assert re.findall(r'id="failure-(\w+)"', browser.get("/failures").text) == [OTHER]
    assert here in read(browser.get("/operations")).hrefs


def test_what_was_typed_is_not_lost_when_it_is_refused(browser, ledger):
    fail(ledger, 2)
    answer = ask(browser, why="", spread="30")
    assert (answer.status_code, "Say why" in answer.text) == (409, True)
    assert '<option value="30" selected>' in answer.text
    answer = ask(browser, why="tell jo@example.com", spread="30")
    assert (answer.status_code, "names nobody" in answer.text) == (409, True)
    assert 'value="tell jo@example.com"' in answer.text
    assert 'name="failing" value="0123456789abcdef"' in answer.text
    assert ask(browser, spread="31").status_code == 409
    assert ledger.sql("SELECT count(*) FROM ledger.operations") == 0
    assert ledger.sql("SELECT count(*) FROM ledger.audit WHERE action LIKE 'operations.%'") == 0


def test_two_operators_who_retry_the_same_group_at_once_retry_each_job_once(browser, ledger, upkeep):
    fail(ledger, 300)
    form = read(browser.get(f"/operations/new?action=retry&failing={PRINT}")).form("/operations")
    typed = {**form.fields, "why": "it is mended", "spread": "0"}
    with ThreadPoolExecutor(2) as people:
        answers = list(people.map(lambda _: browser.post(form.action, data=typed), range(2)))
    assert [answer.status_code for answer in answers] == [303, 303]
    upkeep.to_the_end()
    assert ledger.sql("SELECT array_agg(DISTINCT fence) FROM ledger.jobs WHERE kind = 'walls.paint'") == [4]
    told = sorted(words(browser.get(answer.headers["location"])) for answer in answers)
    assert "0 retried, 300 left out" in told[0]
    assert "moved on by themselves, or by somebody else" in told[0]
    assert "300 retried, 0 left out" in told[1]


def test_an_operation_is_cancelled_in_between_and_says_by_whom_and_why(browser, ledger, upkeep):
    fail(ledger, 800)
    here = ask(browser).headers["location"]
    upkeep.batch()
    assert f"{here}/cancel" in read(browser.get(here)).hrefs
    form = read(browser.get(f"{here}/cancel")).form("/cancel")
    wrong = browser.post(form.action, data={**form.fields, "why": "ask jo@example.com"})
    assert (wrong.status_code, 'value="ask jo@example.com"' in wrong.text) == (409, True)
    answer = browser.post(form.action, data={**form.fields, "why": "the vendor is down again"})
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    upkeep.to_the_end()
    page = browser.get(here)
    assert "500 retried, 0 left out, 300 not come to" in words(page)
    assert "by kim: the vendor is down again" in words(page)
    again = browser.post(form.action, data=form.fields)
    assert (again.status_code, "cancelled already" in again.text) == (409, True)
    assert f"{here}/cancel" not in read(page).hrefs
    late = browser.get(f"{here}/cancel")
    assert (late.status_code, "This operation is cancelled already." in late.text) == (409, True)


def test_nothing_is_typed_on_the_page_of_an_operation_which_loads_anew_by_itself(browser, ledger, upkeep):
    fail(ledger, 2)
    here = ask(browser).headers["location"]
    page = browser.get(here)
    assert 'http-equiv="refresh"' in page.text
    assert re.findall(r'<(?:textarea|select|input(?![^>]*type="hidden"))[^>]*>', page.text) == []
    form = browser.get(f"{here}/cancel")
    assert 'name="why"' in form.text
    assert 'http-equiv="refresh"' not in form.text
    assert "hx-get" not in form.text


def test_an_operation_whose_job_ended_says_how_it_goes_on(browser, ledger, upkeep):
    fail(ledger, 600)
    here = ask(browser).headers["location"]
    upkeep.batch()
    job_id = operation(ledger, here.rpartition("/")[2]).job_id
    press(browser, f"/jobs/{job_id}/discard", "/discard")
    page = browser.get(here)
    assert "Nobody goes on with it." in page.text
    press(browser, f"/jobs/{job_id}", "/retry")
    upkeep.to_the_end()
    assert "600 retried" in words(browser.get(here))


def test_a_filter_of_the_list_of_jobs_becomes_an_operation(browser, ledger, jobs, upkeep):
    path = read(browser.get("/jobs?state=dead")).links["Discard these…"]
    assert path == "/operations/new?action=discard&state=dead"
    answer = ask(browser, "discard", "state=dead")
    upkeep.to_the_end()
    assert ledger.job(jobs[State.DEAD]).state == "discarded"
    assert "1 discarded" in words(browser.get(answer.headers["location"]))
    wrong = browser.get("/operations/new?action=retry&state=nonsense")
    assert (wrong.status_code, "could not be read" in wrong.text) == (400, True)


def test_a_viewer_sees_and_can_not_ask(viewer, app, ledger):
    fail(ledger, 2)
    for path in ("/failures", f"/failures/{PRINT}", "/operations", "/jobs?state=dead"):
        page = viewer.get(path)
        assert page.status_code == 200
        assert "/operations/new" not in page.text
    assert viewer.get(f"/operations/new?action=retry&failing={PRINT}").status_code == 403
    assert viewer.get("/operations/00000000-0000-0000-0000-000000000001/cancel").status_code == 403
    forged = {"token": token(app, viewer, "/operations"), "action": "retry", "failing": PRINT, "why": "let me"}
    assert viewer.post("/operations", data=forged).status_code == 403
    assert ledger.sql("SELECT count(*) FROM ledger.operations") == 0


def test_markup_in_an_error_or_a_reason_stays_text(browser, ledger, upkeep):
    fail(ledger, 2)
    for column in ("error_class", "error_code", "message", "place", "traceback"):
        ledger.sql(f"UPDATE ledger.attempts SET {column} = :probe", probe=MARKUP)
    here = ask(browser, why=MARKUP).headers["location"]
    paths = ("/failures", f"/failures/{PRINT}", f"/operations/new?action=retry&failing={PRINT}", here, "/operations")
    for path in paths:
        page = browser.get(path)
        assert page.status_code == 200
        assert "&lt;script&gt;alert(1)" in page.text
        assert "<script>alert" not in page.text
        assert "<img" not in page.text


def test_an_operation_that_is_not_there_says_so(browser):
    assert browser.get("/operations/00000000-0000-0000-0000-000000000001").status_code == 404
    assert "Nobody has asked for one yet" in browser.get("/operations").text
