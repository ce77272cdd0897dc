"""One job by hand: edited, run at once, put off; and one enqueued from the form of its kind."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from dashboard.payload_form import fields, payload_of
from ledger import clock
from ledger.queries import Kind
from models.ledger import State
from tests.dashboard.pages import press, read
from tests.ledger.kinds import Dry, Paint


def fill(browser, path, ending, **typed):
    """Open a page, fill in the form that posts to an address with this ending, and press its button."""
    form = read(browser.get(path)).form(ending)
    named = {name.replace("__", "."): value for name, value in typed.items()}
    return browser.post(form.action, data={**form.fields, **named})


def deed(ledger):
    return ledger.sql("SELECT to_jsonb(a) FROM ledger.audit a ORDER BY id DESC LIMIT 1")


def test_a_payload_is_edited_and_the_difference_is_kept(browser, ledger, jobs):
    dead, wall = jobs[State.DEAD], uuid4()
    was = ledger.job(dead).payload
    answer = fill(browser, f"/jobs/{dead}/edit", "/edit", payload__wall_id=str(wall), payload__colour="red")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/jobs/{dead}?done=edit")
    assert ledger.job(dead).payload == {"wall_id": str(wall), "colour": "red"}
    assert ledger.job(dead).state == "available"
    said = deed(ledger)
    assert (said["action"], said["jobs"]) == ("jobs.edit", [dead])
    assert said["before"] == {"state": "dead", "payload": {"wall_id": was["wall_id"], "colour": None}}
    assert said["after"] == {"state": "available", "payload": {"wall_id": str(wall), "colour": "red"}}
    assert "new payload" in browser.get(answer.headers["location"]).text


def test_an_error_stands_beside_its_field_and_nothing_typed_is_lost(browser, ledger, jobs):
    dead = jobs[State.DEAD]
    before = ledger.job(dead)
    answer = fill(browser, f"/jobs/{dead}/edit", "/edit", payload__wall_id="the red one", why="wrong wall")
    assert answer.status_code == 409
    assert re.search(r'name="payload.wall_id" value="the red one"[^>]* aria-invalid="true"', answer.text)
    assert '<em id="wrong-wall_id"' in answer.text
    assert 'value="wrong wall"' in answer.text
    assert ledger.job(dead) == before


def test_an_edit_that_an_open_twin_does_already_names_the_twin(browser, ledger, jobs):
    wall = uuid4()
    twin = ledger.enqueue(Paint(wall_id=wall))
    answer = fill(browser, f"/jobs/{jobs[State.DEAD]}/edit", "/edit", payload__wall_id=str(wall))
    assert (answer.status_code, f"what job {twin} is about to do already" in answer.text) == (409, True)


def test_a_job_that_runs_or_is_done_cannot_be_edited_or_put_off(browser, jobs):
    for state in (State.RUNNING, State.SUCCEEDED):
        assert browser.get(f"/jobs/{jobs[state]}/edit").status_code == 409
        assert browser.get(f"/jobs/{jobs[state]}/snooze").status_code == 409
    assert browser.get("/jobs/4711/edit").status_code == 404


def test_a_job_that_waits_is_run_at_once(browser, ledger, jobs):
    waiting = jobs[State.SCHEDULED]
    answer = press(browser, f"/jobs/{waiting}", "/run-now")
    assert answer.headers["location"] == f"/jobs/{waiting}?done=run-now"
    assert ledger.job(waiting).state == "available"
    assert deed(ledger)["action"] == "jobs.run_now"
    assert not any(form.action.endswith("/run-now") for form in read(browser.get(f"/jobs/{jobs[State.DEAD]}")).forms)


@pytest.mark.parametrize(("typed", "after"), [({"minutes": "240"}, timedelta(hours=4)), ({}, timedelta(hours=1))])
def test_a_job_is_put_off_for_a_while(browser, ledger, jobs, typed, after):
    waiting = jobs[State.AVAILABLE]
    answer = fill(browser, f"/jobs/{waiting}/snooze", "/snooze", **{"minutes": "60", **typed})
    assert answer.status_code == 303
    job = ledger.job(waiting)
    assert (job.state, job.reason) == ("scheduled", "snoozed")
    assert job.run_at - clock.now() == pytest.approx(after, abs=timedelta(seconds=30))


def test_a_job_is_put_off_until_a_moment_and_one_that_is_over_is_refused(browser, ledger, jobs):
    waiting = jobs[State.AVAILABLE]
    moment = (clock.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    path = f"/jobs/{waiting}/snooze"
    assert fill(browser, path, "/snooze", until=f"{moment:%Y-%m-%dT%H:%M}").status_code == 303
    assert ledger.job(waiting).run_at == moment
    for until, said in (("2001-01-01T00:00", "within a year"), ("soon", "could not be read")):
        answer = fill(browser, path, "/snooze", until=until)
        assert (answer.status_code, said in answer.text) == (409, True)
        assert f'value="{until}"' in answer.text
    assert ledger.job(waiting).run_at == moment


def test_a_job_is_enqueued_from_a_form_made_of_its_kind(browser, ledger):
    wall = uuid4()
    assert "/enqueue?kind=walls.paint" in read(browser.get("/enqueue")).hrefs
    later = (clock.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    page = browser.get("/enqueue?kind=walls.paint")
    assert all(f"<option>{colour}</option>" in page.text for colour in ("red", "blue"))
    answer = fill(
        browser,
        "/enqueue?kind=walls.paint",
        "/enqueue",
        business=str(ledger.business),
        payload__wall_id=str(wall),
        payload__glossy="true",
        priority="0",
        run_at=f"{later:%Y-%m-%dT%H:%M}",
        why="it was forgotten",
    )
    assert answer.status_code == 303, answer.text
    job_id = int(re.search(r"/jobs/(\d+)\?done=enqueue", answer.headers["location"])[1])
    job = ledger.job(job_id)
    assert (job.kind, job.priority, job.business_id, job.run_at) == ("walls.paint", 0, ledger.business, later)
    assert job.payload == {"wall_id": str(wall), "glossy": True}
    said = deed(ledger)
    assert (said["action"], said["jobs"], said["why"]) == ("jobs.enqueue", [job_id], "it was forgotten")
    assert said["after"] == {"payload": {"wall_id": str(wall), "glossy": True}}


def test_enqueueing_what_is_open_already_shows_the_open_one(browser, ledger):
    wall = uuid4()
    open_one = ledger.enqueue(Paint(wall_id=wall))
    typed = {"business": str(ledger.business), "payload__wall_id": str(wall)}
    answer = fill(browser, "/enqueue?kind=walls.paint", "/enqueue", **typed)
    assert answer.headers["location"] == f"/jobs/{open_one}?done=joined"
    assert "Nothing was enqueued" in browser.get(answer.headers["location"]).text
    assert deed(ledger)["about"]["joined"] is True


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"business": "the first"}, "business"),
        ({"payload__wall_id": "red"}, "wall_id"),
        ({"payload__wall_id": ""}, "wall_id"),
        ({"payload__colour": "mauve"}, "colour"),
        ({"run_at": "soon"}, "run_at"),
    ],
    ids=str,
)
def test_a_form_that_cannot_be_read_is_shown_again_with_why(browser, ledger, typed, field):
    good = {"business": str(ledger.business), "payload__wall_id": str(uuid4()), "why": "it was forgotten"}
    answer = fill(browser, "/enqueue?kind=walls.paint", "/enqueue", **{**good, **typed})
    assert answer.status_code == 409
    assert f'id="wrong-{field}"' in answer.text
    assert 'value="it was forgotten"' in answer.text
    assert all(value in answer.text for value in typed.values())
    assert ledger.sql("SELECT count(*) FROM ledger.jobs") == 0


def test_a_kind_that_is_not_there_can_not_be_enqueued(browser):
    assert browser.get("/enqueue?kind=walls.sell").status_code == 404


def test_a_viewer_enqueues_and_edits_nothing(viewer, ledger, jobs):
    for path in ("/enqueue", f"/jobs/{jobs[State.DEAD]}/edit", f"/jobs/{jobs[State.AVAILABLE]}/snooze"):
        assert viewer.get(path).status_code == 403
    page = viewer.get(f"/jobs/{jobs[State.DEAD]}")
    assert "Edit and retry" not in page.text


KIND = Kind(
    kind="walls.watch",
    queue="walls",
    priority=2,
    fields={"at": {"type": "time", "required": True}, "wet": {"type": "flag", "required": True}},
    unique_by=None,
    until_done=False,
    timeout=timedelta(minutes=1),
    max_attempts=3,
    give_up_after=timedelta(days=1),
    about="Watch the paint.",
)


def test_a_time_that_was_not_touched_keeps_its_microseconds_and_a_box_not_ticked_is_no():
    stored = {"at": "2026-05-04T12:30:00.123456Z", "wet": True}
    at, wet = fields(KIND, stored)
    assert (at.value, wet.value) == ("2026-05-04T12:30:00.123", "true")
    assert payload_of(KIND, {"payload.at": at.value}, stored) == {**stored, "wet": False}
    changed = payload_of(KIND, {"payload.at": "2026-05-04T12:31", "payload.wet": "true"}, stored)
    assert changed == {"at": "2026-05-04T12:31:00Z", "wet": True}
    assert payload_of(KIND, {"payload.at": "2026-05-04T14:31+02:00"}, {})["at"] == "2026-05-04T12:31:00Z"


def test_an_empty_kind_needs_no_payload(browser, ledger):
    assert Dry.kind in browser.get("/enqueue").text
