"""Retry and discard: what they do, what they ask, and what they say when the ledger refuses."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from dashboard.telling import may_cancel, may_discard, may_retry
from models.ledger import State
from tests.dashboard.pages import press, read
from tests.dashboard.people import token


def test_retry_makes_the_job_available_and_its_page_follows_it(browser, ledger, jobs):
    dead = jobs[State.DEAD]
    answer = press(browser, f"/jobs/{dead}", "/retry")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/jobs/{dead}?done=retry")
    assert ledger.job(dead).state == "available"
    page = browser.get(answer.headers["location"])
    assert "The job is available again" in page.text
    assert 'http-equiv="refresh"' in page.text
    assert "no_such_wall" in page.text


def test_a_retried_job_runs_and_turns_green(browser, ledger, jobs):
    ledger.script.load = lambda _, wall: wall
    ledger.script.call = lambda _: "painted"
    press(browser, f"/jobs/{jobs[State.DEAD]}", "/retry")
    ledger.run()
    page = browser.get(f"/jobs/{jobs[State.DEAD]}?done=retry").text
    assert 'badge state-succeeded">succeeded<' in page
    assert "Succeeded" in page


def test_discard_asks_first_and_then_puts_the_job_aside(browser, ledger, jobs):
    dead = jobs[State.DEAD]
    asked = read(browser.get(f"/jobs/{dead}")).links["Discard…"]
    question = browser.get(asked)
    assert "Discard job" in question.text
    assert "will not be done" in question.text
    assert ledger.job(dead).state == "dead"
    answer = press(browser, asked, "/discard")
    assert answer.headers["location"] == f"/jobs/{dead}?done=discard"
    assert ledger.job(dead).state == "discarded"
    assert "Nothing runs it any more" in browser.get(answer.headers["location"]).text


def test_the_buttons_are_there_exactly_where_the_ledger_agrees(browser, ledger, jobs, app):
    for name, may in (("retry", may_retry), ("discard", may_discard), ("cancel", may_cancel)):
        for state, job_id in jobs.items():
            with ledger.admin.connect() as db, db.begin() as change:
                try:
                    db.execute(text(f"SELECT ledger.{name}_job_v1(:id)"), {"id": job_id})
                    agrees = True
                except Exception:  # noqa: BLE001
                    agrees = False
                change.rollback()
            assert agrees == may(state), (name, state)


@pytest.mark.parametrize("name", ["retry", "discard", "cancel"])
def test_what_the_ledger_refuses_is_said_on_the_jobs_page(browser, ledger, jobs, app, name):
    job_id = jobs[State.SUCCEEDED]
    path = f"/jobs/{job_id}/{name}"
    answer = browser.post(path, data={"token": token(app, browser, path)})
    assert answer.status_code == 409
    assert f"Job {job_id} is succeeded" in answer.text
    assert "It was not done." in answer.text
    assert ledger.job(job_id).state == "succeeded"


def test_asking_to_discard_what_cannot_be_says_so_at_once(browser, jobs):
    answer = browser.get(f"/jobs/{jobs[State.RUNNING]}/discard")
    assert answer.status_code == 409
    assert "cannot be discarded" in answer.text


def test_a_job_that_is_being_written_is_left_to_its_worker(browser, ledger, jobs):
    dead = jobs[State.DEAD]
    with ledger.admin.begin() as db:
        db.execute(text("SELECT FROM ledger.jobs WHERE id = :id FOR UPDATE"), {"id": dead})
        answer = press(browser, f"/jobs/{dead}", "/retry")
    assert answer.status_code == 409
    assert "look again in a moment" in answer.text


def test_two_people_who_press_at_once_retry_once(browser, ledger, jobs):
    dead = jobs[State.DEAD]
    form = read(browser.get(f"/jobs/{dead}")).form("/retry")
    with ThreadPoolExecutor(4) as people:
        answers = list(people.map(lambda _: browser.post(form.action, data=form.fields).status_code, range(4)))
    assert sorted(answers) == [303, 409, 409, 409]
    assert ledger.job(dead).state == "available"


def test_an_action_on_a_job_that_is_not_there_says_so(browser, app):
    path = "/jobs/4711/retry"
    answer = browser.post(path, data={"token": token(app, browser, path)})
    assert answer.status_code == 404
    assert "There is no job 4711" in answer.text


def test_only_words_of_ours_can_be_shown_as_done(browser, jobs):
    page = browser.get(f"/jobs/{jobs[State.DEAD]}?done=Your+password+has+expired")
    assert "expired" not in re.sub(r'href="[^"]*"', "", page.text)
