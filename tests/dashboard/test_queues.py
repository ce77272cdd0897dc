"""Queues beside their promises; pausing, resuming and running now, with a reason and written down."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from dashboard.figures import stand
from jobs.queues import PROMISES, USUAL, promise
from jobs.registry import load
from ledger import clock
from ledger.queries.queues import QueueSeen
from models.ledger import State
from tests.dashboard.pages import press, read
from tests.ledger.kinds import Dry, Knock


def fill_in(browser, path, action, **values):
    """Fill in the form of a page that posts to an address, and send it."""
    form = next(form for form in read(browser.get(path)).forms if form.action == action)
    return browser.post(action, data={**form.fields, **values})


def audited(ledger):
    with ledger.admin.begin() as db:
        return db.execute(text("SELECT who, action, why, about, jobs FROM ledger.audit ORDER BY id DESC LIMIT 1")).one()


def test_every_queue_has_a_promise():
    assert {job.payload.terms.queue for job in load()} <= set(PROMISES)
    assert promise("heard_of_by_nobody") == USUAL


def test_a_queue_is_late_once_its_oldest_job_has_waited_longer_than_promised():
    now = clock.now()

    def stands(waited):
        since = None if waited is None else now - waited
        seen = QueueSeen("mail", 1, 0, 0, since, 7, at_least=False)
        (queue,) = stand((seen,), now)
        return queue.late, queue.percent

    assert stands(None) == (False, 0)
    assert stands(PROMISES["mail"] / 2) == (False, 50)
    assert stands(PROMISES["mail"] + timedelta(seconds=1)) == (True, 100)


def test_the_queue_page_names_the_oldest_job_and_what_was_promised(browser, ledger):
    first = ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.sql("UPDATE ledger.jobs SET run_at = now() - interval '9 min' WHERE id = :id", id=first)
    page = browser.get("/queues")
    assert "9 min" in page.text
    assert "of the 5 min promised" in page.text
    assert f"/jobs/{first}" in read(page).hrefs
    assert 'class="label bad">late<' in page.text


def test_a_queue_is_paused_with_a_reason_and_resumed(browser, ledger):
    waits = ledger.enqueue(Knock(wall_id=uuid4()))
    answer = fill_in(browser, "/queues", "/pauses", what="queue:knocks", why="the vendor is down")
    assert answer.status_code == 303
    assert ledger.dispatched("knocks") == []
    row = audited(ledger)
    assert (row.action, row.why, row.about["queue"]) == ("pauses.begin", "the vendor is down", "knocks")
    page = browser.get("/queues").text
    assert "the vendor is down" in page
    assert 'class="label bad">paused<' in page
    number = ledger.sql("SELECT id FROM ledger.pauses")
    assert press(browser, "/queues", f"/pauses/{number}/end").status_code == 303
    assert audited(ledger).action == "pauses.end"
    assert [job_id for job_id, _ in ledger.dispatched("knocks")] == [waits]


def test_a_pause_is_resumed_with_a_reason_which_the_audit_keeps(browser, viewer, ledger):
    fill_in(browser, "/queues", "/pauses", what="queue:knocks", why="the vendor is down")
    number = ledger.sql("SELECT id FROM ledger.pauses")
    assert f"/pauses/{number}/end" in read(browser.get("/queues")).hrefs
    assert "the vendor is down" in browser.get(f"/pauses/{number}/end").text
    assert viewer.get(f"/pauses/{number}/end").status_code == 403
    wrong = fill_in(browser, f"/pauses/{number}/end", f"/pauses/{number}/end", why="ask jo@example.com")
    assert (wrong.status_code, 'value="ask jo@example.com"' in wrong.text) == (409, True)
    assert fill_in(browser, f"/pauses/{number}/end", f"/pauses/{number}/end", why="it is back").status_code == 303
    assert (audited(ledger).action, audited(ledger).why) == ("pauses.end", "it is back")
    again = browser.get(f"/pauses/{number}/end")
    assert (again.status_code, "has ended" in again.text) == (409, True)


def test_a_kind_of_one_business_is_paused_and_no_other(browser, ledger):
    mine, theirs = ledger.enqueue(Dry(wall_id=uuid4())), ledger.enqueue(Dry(wall_id=uuid4()), ledger.other)
    fill_in(browser, "/queues", "/pauses", what="kind:walls.dry", business=str(ledger.business), why="a test of ours")
    assert [job_id for job_id, _ in ledger.dispatched()] == [theirs]
    assert mine != theirs


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"what": "queue:knocks", "why": " "}, "Say why"),
        ({"what": "", "business": "", "why": "x"}, "A pause names a queue"),
        ({"what": "queue:nothing", "why": "x"}, "There is no such queue"),
        ({"what": "", "business": "acme", "why": "x"}, "named by its UUID"),
    ],
)
def test_a_pause_that_cannot_be_says_why_and_leaves_no_trace(browser, ledger, values, said):
    answer = fill_in(browser, "/queues", "/pauses", **values)
    assert answer.status_code == 409
    assert said in answer.text
    assert ledger.sql("SELECT count(*) FROM ledger.pauses") == 0
    assert ledger.sql("SELECT count(*) FROM ledger.audit") == 0


def test_resuming_what_is_not_paused_says_so(browser, ledger):
    fill_in(browser, "/queues", "/pauses", what="queue:knocks", why="the vendor is down")
    number = ledger.sql("SELECT id FROM ledger.pauses")
    form = read(browser.get("/queues")).form(f"/pauses/{number}/end")
    assert browser.post(form.action, data=form.fields).status_code == 303
    answer = browser.post(form.action, data=form.fields)
    assert answer.status_code == 409
    assert "was ended before" in answer.text


def test_a_schedule_runs_now_and_its_ticks_come_as_they_would(browser, ledger, everything_known):
    answer = press(browser, "/schedules/retention", "/schedules/retention/run")
    assert answer.status_code == 303
    job_id = ledger.sql("SELECT id FROM ledger.jobs WHERE kind = 'retention.sweep'")
    assert answer.headers["location"] == f"/jobs/{job_id}?done=enqueue"
    assert ledger.job(job_id).business_id.int == 0
    assert "is enqueued" in browser.get(answer.headers["location"]).text
    assert ledger.sql("SELECT count(*) FROM ledger.ticks") == 0
    row = audited(ledger)
    assert (row.action, row.jobs, row.about) == (
        "schedules.run",
        [job_id],
        {"schedule": "retention", "kind": "retention.sweep"},
    )


@pytest.fixture
def everything_known(ledger):
    """The kinds of the engine itself, beside those of the tests."""
    from ledger.contract import publish
    from ledger.job import Registry

    both = Registry()
    for job in (*ledger.registry, *load()):
        both.add(job)
    with ledger.admin.begin() as db:
        publish(db, both)


def test_a_schedule_and_a_kind_that_are_not_there_are_pages_that_help(browser):
    assert "There is no schedule nightly" in browser.get("/schedules/nightly").text
    assert browser.get("/schedules/nightly").status_code == 404
    assert "There is no kind walls.fall" in browser.get("/kinds/walls.fall").text


def test_the_overview_says_that_no_dispatcher_counts(browser, ledger):
    ledger.sql("INSERT INTO ledger.pace_until (id, until) VALUES (1, now() - interval '20 min')")
    assert "No dispatcher runs" in browser.get("/").text
    ledger.sql("UPDATE ledger.pace_until SET until = now() - interval '1 min'")
    assert "No dispatcher runs" not in browser.get("/").text


def test_the_overview_tells_what_runs_where_and_how_far(browser, ledger, jobs):
    running = jobs[State.RUNNING]
    ledger.sql(
        "UPDATE ledger.jobs SET progress = 42, doing = 'drying_walls', started_at = now() WHERE id = :id", id=running
    )
    page = browser.get("/").text
    part = page.split('id="running"')[1].split("</section>")[0]
    assert f'href="/jobs/{running}"' in part
    assert '<progress max="100" value="42">' in part
    assert "drying walls" in part


def test_missed_ticks_are_told_on_the_schedule_s_page(browser, ledger):
    for n, (outcome, late) in enumerate((("fired", 5), ("skipped", 900), ("fired", 900))):
        ledger.sql(
            "INSERT INTO ledger.ticks (schedule, tick, due_at, noted_at, outcome) VALUES ('recovery', :tick,"
            " now() - :n * interval '10 min', now() - :n * interval '10 min' + :late * interval '1 s', :outcome)",
            tick=str(n), n=n, late=late, outcome=outcome,
        )  # fmt: skip
    page = browser.get("/schedules/recovery").text
    assert "3 latest ticks, 1 skipped, 1 late" in page


def test_limits_are_told_with_their_use(browser, ledger):
    ledger.sql(
        "INSERT INTO ledger.limits (subject, name, most, who, why) VALUES ('queue', 'walls', 4, 'kim', 'it is small')"
    )
    ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.claimed()
    page = browser.get("/queues").text
    part = page.split('id="limit-queue-walls"')[1].split("</tr>")[0]
    assert '1 <span class="quiet">of 4</span>' in part
    assert "it is small" in part
