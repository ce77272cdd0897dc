"""Rows of the list that are ticked are handed to an operation, and no other."""

import re

from ledger.queries.targets import find_targets
from models.ledger import State
from models.operations import Action
from tests.dashboard.pages import read


def test_rows_can_be_ticked_by_whom_may_act(browser, viewer, jobs):
    listed = browser.get("/jobs?kind=walls.paint").text
    assert set(re.findall(r'name="job" value="(\d+)"', listed)) >= {str(jobs[State.DEAD]), str(jobs[State.PARKED])}
    assert 'action="/operations/new"' in listed
    assert 'type="checkbox"' not in viewer.get("/jobs").text


def test_what_was_ticked_is_asked_about_and_nothing_else(browser, ledger, jobs):
    dead, parked = jobs[State.DEAD], jobs[State.PARKED]
    asked = browser.get(f"/operations/new?action=discard&job={dead}&job={parked}")
    assert asked.status_code == 200
    assert "Discard 2 jobs?" in asked.text
    form = read(asked).form("/operations")
    answer = browser.post(form.action, data={**form.fields, "why": "nobody needs them"})
    assert answer.status_code == 303
    assert ledger.sql("SELECT filter FROM ledger.operations") == {"ids": f"{dead},{parked}"}
    batches = ledger.sql("SELECT job_ids FROM ledger.operation_batches")
    assert sorted(batches) == sorted([dead, parked])
    page = browser.get(answer.headers["location"]).text
    assert f"{dead},{parked}" in page


def test_nothing_ticked_is_nothing_and_not_everything(browser, jobs):
    answer = browser.get("/operations/new?action=retry&job=")
    assert answer.status_code == 400
    assert "Tick at least one job." in answer.text


def test_what_is_no_number_is_refused(browser, jobs):
    answer = browser.get("/operations/new?action=retry&job=1%20OR%201")
    assert answer.status_code == 400
    assert "Numbers of jobs" in answer.text


def test_ticked_jobs_are_listed_by_their_numbers(browser, jobs):
    dead, parked = jobs[State.DEAD], jobs[State.PARKED]
    listed = browser.get(f"/jobs?job={dead},{parked}").text
    assert set(re.findall(r'<tr id="job-(\d+)">', listed)) == {str(dead), str(parked)}


def test_a_ticked_job_that_cannot_be_retried_is_left_out(browser, engine, jobs):
    from ledger.queries import JobFilter, looking

    wanted = JobFilter(ids=(jobs[State.DEAD], jobs[State.SUCCEEDED]))
    with looking(engine) as db:
        targets = find_targets(db, Action.RETRY, wanted)
    assert targets.states == {State.DEAD: 1}
