"""Every page shows what is in the ledger, as text and never as markup."""

import json
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from dashboard.telling import may_discard, may_retry
from ledger import clock
from ledger.errors import TryAgain
from ledger.watch import heartbeat
from models.ledger import State
from tests.dashboard.pages import read
from tests.ledger.kinds import Dry, Paint

ALL_PAGES = ("/", "/jobs", "/queues", "/kinds", "/kinds/walls.paint", "/schedules", "/schedules/retention")


@pytest.mark.parametrize("path", ALL_PAGES)
def test_every_page_opens_on_an_empty_ledger_and_says_what_would_be_there(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 200
    assert "staging" in answer.text
    assert 'class="empty"' in answer.text or path == "/kinds"


def test_every_page_opens_with_a_job_in_every_state(browser, jobs):
    for path in ALL_PAGES:
        assert browser.get(path).status_code == 200
    for state, job_id in jobs.items():
        page = browser.get(f"/jobs/{job_id}")
        assert page.status_code == 200
        assert f'badge state-{state}">{state}<' in page.text
        assert ("/retry" in page.text) == may_retry(state)
        assert ("/discard" in page.text) == may_discard(state)
        listed = read(browser.get(f"/jobs?state={state}"))
        assert f"/jobs/{job_id}" in listed.hrefs


def test_nothing_is_loaded_from_elsewhere_and_no_code_stands_in_a_page(browser, jobs):
    for path in (*ALL_PAGES, *(f"/jobs/{job_id}" for job_id in jobs.values()), f"/jobs/{jobs[State.DEAD]}/discard"):
        page = read(browser.get(path))
        assert page.scripts
        assert all(script.startswith("/static/") for script in page.scripts)
        assert page.inline_scripts == 0
        assert page.inline_styles == 0
        assert all(address.startswith(("/", "#")) for address in page.addresses)


def test_every_link_of_every_page_leads_somewhere(browser, jobs):
    seen = {"/"}
    waiting = ["/"]
    while waiting and len(seen) < 150:
        answer = browser.get(waiting.pop())
        assert answer.status_code == 200, answer.url
        new = {href.partition("#")[0] for href in read(answer).hrefs} - seen - {""}
        seen |= new
        waiting += new
    assert any(path.startswith("/failures/") for path in seen)


def test_a_job_page_tells_each_attempt_and_the_chain(browser, ledger, jobs):
    dead = browser.get(f"/jobs/{jobs[State.DEAD]}").text
    for words in ("GiveUp", "no_such_wall", "There is no such wall.", "tests/dashboard/conftest.py", "Traceback"):
        assert words in dead
    succeeded = read(browser.get(f"/jobs/{jobs[State.SUCCEEDED]}"))
    follow_up = ledger.sql("SELECT id FROM ledger.jobs WHERE root_id = :r AND id <> root_id", r=jobs[State.SUCCEEDED])
    assert f"/jobs/{follow_up}" in succeeded.hrefs


def test_times_are_machine_readable_and_exact_in_utc(browser, jobs):
    page = browser.get("/jobs").text
    pattern = (
        r'<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z" title="\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC">'
    )
    assert len(re.findall(pattern, page)) >= 2 * len(jobs)


def test_an_unknown_job_says_where_to_look_instead(browser):
    for job_id in (7, 2**63, 10**30):
        answer = browser.get(f"/jobs/{job_id}")
        assert answer.status_code == 404
        assert "forgotten after 30 days" in answer.text


def test_an_unknown_address_is_a_page_of_ours(browser):
    answer = browser.get("/nothing")
    assert answer.status_code == 404
    assert "No page has the address /nothing." in answer.text


def test_a_filter_that_cannot_be_read_says_what_is_expected(browser, jobs):
    for query, words in {
        "state=asleep": "A state is one of",
        "id=seven": "A job&#39;s number, or a UUID",
        "id=99999999999999999999": "A job&#39;s number, or a UUID",
        "kind=%00": "A kind is lower-case",
        "business=acme": "A business is a UUID",
        "since=yesterday": "A time in UTC",
    }.items():
        answer = browser.get(f"/jobs?{query}")
        assert answer.status_code == 400
        assert words in answer.text
        assert "Nothing is listed" in answer.text


def test_a_cursor_that_cannot_be_read_leads_back_to_the_first_page(browser):
    answer = browser.get("/jobs?after=x")
    assert answer.status_code == 400
    assert "first page" in answer.text


def test_the_filter_form_leads_to_an_address_without_empty_fields(browser, jobs):
    answer = browser.get("/jobs?state=dead&kind=&queue=&id=&since=")
    assert (answer.status_code, answer.headers["location"]) == (307, "/jobs?state=dead")


def test_the_filter_finds_by_each_field(browser, ledger, jobs):
    def found(query):
        return {
            int(m) for m in re.findall(r'<th scope="row" class="n" data-label="Job"><a href="/jobs/(\d+)"', query.text)
        }

    dead = jobs[State.DEAD]
    wall = ledger.job(dead).payload["wall_id"]
    assert found(browser.get(f"/jobs?id={wall}&kind=walls.paint")) == {dead}
    assert found(browser.get(f"/jobs?id={dead}")) == {dead}
    assert found(browser.get("/jobs?error=no_such_wall")) == {dead}
    assert found(browser.get("/jobs?kind=walls.paint&state=parked")) == {jobs[State.PARKED]}
    assert found(browser.get(f"/jobs?business={ledger.business}")) >= set(jobs.values())
    assert found(browser.get("/jobs?business=house")) == set()
    assert found(browser.get("/jobs?until=2020-01-01T00:00")) == set()
    assert found(browser.get("/jobs?since=2020-01-01T00:00")) >= set(jobs.values())


def test_pages_are_stable_while_jobs_are_added(browser, ledger):
    first_ones = [ledger.enqueue(Dry(wall_id=uuid4())) for _ in range(120)]

    def listed(answer):
        return [
            int(m) for m in re.findall(r'<th scope="row" class="n" data-label="Job"><a href="/jobs/(\d+)"', answer.text)
        ]

    page = browser.get("/jobs?kind=walls.dry")
    seen = listed(page)
    while "Next" in (links := read(page).links):
        ledger.enqueue(Dry(wall_id=uuid4()))
        page = browser.get(links["Next"])
        seen += listed(page)
    assert seen == first_ones[::-1]
    back = listed(browser.get(read(page).links["Previous"]))
    assert back == first_ones[::-1][50:100]


def test_the_overview_says_that_all_is_well_when_it_is(browser, ledger):
    with ledger.worker.begin() as db:
        heartbeat(db, ledger.me, 4, ["walls.dry"])
    ledger.enqueue(Dry(wall_id=uuid4()))
    ledger.run()
    page = browser.get("/").text
    assert "All is well" in page
    assert "<b>1</b> succeeded" in page


def test_the_overview_names_what_needs_somebody_and_links_to_it(browser, ledger, jobs):
    ledger.sql("UPDATE ledger.jobs SET run_at = now() - interval '20 min' WHERE state IN ('available', 'retryable')")
    ledger.sql("INSERT INTO ledger.workers (id, threads, kinds, heartbeat_at) VALUES (:id, 4, '{}', :at)",
               id=uuid4(), at=clock.now() - timedelta(minutes=2))  # fmt: skip
    due = datetime.now(UTC) - timedelta(days=9)
    ledger.sql(
        "INSERT INTO ledger.ticks (schedule, tick, due_at, outcome) VALUES ('retention', 'x', :d, 'skipped')", d=due
    )
    ledger.script.load = lambda *_: 1 // 0
    ledger.sql("UPDATE ledger.pauses SET ended_at = now()")
    ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    ledger.sql("UPDATE ledger.pauses SET ended_at = NULL")
    ledger.sql(
        "UPDATE ledger.jobs SET run_at = now() - interval '20 min', claimed_at = NULL WHERE state = 'dispatched'"
    )
    page = browser.get("/")
    text = page.text
    for words in (
        "No worker is alive",
        "No dispatcher moves due jobs on",
        "Queue walls is 20 min behind",
        "1 job parked",
        "Paused: kind walls.paint",
        "1 job failed for good",
        "A bug in walls.paint: ZeroDivisionError",
        "Schedule retention missed a run",
    ):
        assert words in text
    links = read(page).links
    for name in ("Jobs that wait", "Jobs that are due", "The job that waits longest", "Parked jobs", "Dead jobs"):
        assert browser.get(links[name]).status_code == 200


def test_failures_alike_are_one_line_with_their_number(browser, ledger):
    ledger.script.call = lambda _: (_ for _ in ()).throw(TryAgain("vendor_down"))
    for _ in range(3):
        ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    page = browser.get("/").text
    assert page.count('<span class="mono">vendor_down</span>') == 1
    assert 'data-label="Times">3<' in page


ESCAPES_NOTHING = ("/schedules",)
"""Pages on which none of what the test spoils is shown as it is."""


def test_markup_in_any_column_stays_text(browser, ledger, jobs):
    probe = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    for column in ("error_class", "error_code", "message", "place", "traceback", "fingerprint", "log_tail"):
        ledger.sql(f"UPDATE ledger.attempts SET {column} = :probe", probe=probe)
    ledger.sql("UPDATE ledger.pauses SET who = :p, why = :p", p=probe)
    job_id = jobs[State.DEAD]
    ledger.sql(
        "UPDATE ledger.jobs SET kind = :p, queue = :p, reason = :p, payload ="
        " jsonb_build_object(CAST(:p AS text), CAST(:q AS text))"
        " WHERE state IN ('dead', 'retryable')",
        p=probe,
        q=probe,
    )
    fields = {probe: {"type": probe, "required": True, "codes": [probe]}}
    ledger.sql("UPDATE ledger.job_kinds SET about = :p, fields = CAST(:f AS jsonb)", p=probe, f=json.dumps(fields))
    ledger.sql(
        "INSERT INTO ledger.ticks (schedule, tick, due_at, outcome) VALUES ('retention', :p, now(), 'fired')", p=probe
    )
    for path in (*ALL_PAGES, f"/jobs/{job_id}", f"/jobs/{job_id}/discard", "/jobs?state=retryable", f"/{probe}"):
        answer = browser.get(path)
        page = read(answer)
        assert "&lt;script&gt;" in answer.text or path in ESCAPES_NOTHING or path == f"/{probe}"
        assert probe not in answer.text
        assert "<img" not in answer.text
        assert "alert(1)" not in " ".join(page.scripts)
        assert page.inline_scripts == 0
    assert probe not in browser.get("/jobs", params={"error": probe}).text


def test_a_page_that_follows_can_be_paused(browser, jobs):
    running = f"/jobs/{jobs[State.RUNNING]}"
    for path in ("/", running):
        followed = browser.get(path)
        assert 'http-equiv="refresh"' in followed.text
        paused = browser.get(read(followed).links["pause"])
        assert 'http-equiv="refresh"' not in paused.text
        assert 'http-equiv="refresh"' in browser.get(read(paused).links["follow again"]).text
    assert 'http-equiv="refresh"' not in browser.get(f"/jobs/{jobs[State.DEAD]}").text
