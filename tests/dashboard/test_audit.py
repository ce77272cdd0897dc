"""The audit page: what people did, by whom, on what, when, why, and what it changed."""

import re

import pytest
from sqlalchemy import text

from dashboard.actions import retry_job
from ledger.audit import Actor, record
from ledger.queries import AuditFilter, list_audit, looking, read_job_audit
from models.ledger import State
from models.operators import Role
from tests.dashboard.pages import press, read
from tests.dashboard.people import USER, signed_in, token

JO = Actor("jo", Role.OPERATOR)


def listed(page):
    return re.findall(r'<a class="mono" href="/audit\?action=[^"]+">([^<]+)</a>', page.text)


@pytest.fixture
def noted(app):
    """Note an action as jo."""

    def note(action="jobs.retry", actor=JO, **more):
        with app.state.site.acting.begin() as db:
            return record(db, actor, action, **more)

    return note


@pytest.mark.parametrize("name", ["retry", "cancel", "discard"])
def test_what_a_button_does_is_a_row_with_how_things_stood(ledger, browser, jobs, name, app):
    job = jobs[State.RETRYABLE]
    path = f"/jobs/{job}/{name}"
    assert browser.post(path, data={"token": token(app, browser, path), "why": "it is wrong"}).status_code == 303
    row = ledger.sql("SELECT to_jsonb(a) FROM ledger.audit a")
    assert (row["who"], row["role"], row["action"], row["why"], row["jobs"]) == (
        USER,
        "admin",
        f"jobs.{name}",
        "it is wrong",
        [job],
    )
    assert row["before"]["state"] == "retryable"
    assert row["after"]["state"] == ledger.job(job).state != "retryable"
    page = browser.get("/audit").text
    assert f"jobs.{name}" in page
    assert "<del>retryable</del>" in page
    assert "it is wrong" in page
    assert "it is wrong" in browser.get(f"/jobs/{job}").text


def test_what_is_refused_leaves_no_row(ledger, browser, jobs, app):
    path = f"/jobs/{jobs[State.SUCCEEDED]}/retry"
    assert browser.post(path, data={"token": token(app, browser, path)}).status_code == 409
    path = f"/jobs/{jobs[State.DEAD]}/retry"
    answer = browser.post(path, data={"token": token(app, browser, path), "why": "for jo@example.com"})
    assert answer.status_code == 409
    assert "names nobody" in answer.text
    assert ledger.sql("SELECT count(*) FROM ledger.audit") == 0
    assert ledger.job(jobs[State.DEAD]).state == "dead"


def test_the_filter_finds_by_each_field(browser, noted, ledger):
    noted("jobs.retry", jobs=[1, 2])
    noted("jobs.discard", jobs=[2])
    noted("pauses.add", Actor("ada", Role.ADMIN), about={"queue": "mail"})
    assert listed(browser.get("/audit")) == ["pauses.add", "jobs.discard", "jobs.retry"]
    assert listed(browser.get("/audit?who=ada")) == ["pauses.add"]
    assert listed(browser.get("/audit?action=jobs.")) == ["jobs.discard", "jobs.retry"]
    assert listed(browser.get("/audit?action=jobs.retry")) == ["jobs.retry"]
    assert listed(browser.get("/audit?job=2&who=jo")) == ["jobs.discard", "jobs.retry"]
    assert listed(browser.get("/audit?job=1")) == ["jobs.retry"]
    assert listed(browser.get("/audit?until=2020-01-01T00:00")) == []
    assert len(listed(browser.get("/audit?since=2020-01-01T00:00"))) == 3
    assert "Nobody did anything that passes this filter" in browser.get("/audit?who=nobody").text
    answer = browser.get("/audit?who=jo&action=&job=")
    assert answer.headers["location"] == "/audit?who=jo"


@pytest.mark.parametrize("query", ["job=seven", "job=99999999999999999999", "action=%00", "since=yesterday", "who=%00"])
def test_a_filter_that_cannot_be_read_says_what_is_expected(browser, query):
    answer = browser.get(f"/audit?{query}")
    assert answer.status_code == 400
    assert "Nothing is listed" in answer.text


@pytest.mark.parametrize("cursor", ["after=x", "before=-1", "after=99999999999999999999"])
def test_a_cursor_that_cannot_be_read_leads_back(browser, cursor):
    assert browser.get(f"/audit?{cursor}").status_code == 400


def test_pages_go_on_by_keys_and_back(app, browser, noted):
    numbers = [noted(about={"n": n}) for n in range(120)][::-1]

    def on(page):
        return [int(n) for n in re.findall(r'<span class="quiet">n</span> <span class="mono">(\d+)<', page.text)]

    page = browser.get("/audit?who=jo")
    seen = on(page)
    while "Older" in (links := read(page).links):
        noted("jobs.discard")
        page = browser.get(links["Older"])
        seen += on(page)
    assert seen == list(range(119, -1, -1))
    back = browser.get(read(page).links["Newer"])
    assert on(back) == list(range(69, 19, -1))
    with app.state.site.engine.connect() as db:
        assert [row.id for row in list_audit(db, AuditFilter(who="jo", action="jobs.retry"), size=200).rows] == numbers


def test_a_job_tells_what_people_did_to_it_newest_first(app, browser, ledger, jobs):
    dead = jobs[State.DEAD]
    press(browser, f"/jobs/{dead}", "/retry")
    press(browser, f"/jobs/{dead}/discard", "/discard")
    with app.state.site.engine.connect() as db:
        rows = read_job_audit(db, dead)
        assert [row.action for row in rows] == ["jobs.discard", "jobs.retry"]
        assert [(c.name, c.before, c.after) for c in rows[1].changes][-1] == ("state", "dead", "available")
        assert read_job_audit(db, jobs[State.PARKED]) == ()
    page = browser.get(f"/jobs/{dead}").text
    assert page.index("jobs.discard") < page.index("jobs.retry")


def test_a_viewer_sees_the_audit(app, noted):
    noted()
    with signed_in(app, "vic", Role.VIEWER) as viewer:
        assert listed(viewer.get("/audit")) == ["jobs.retry"]


READ = text(
    "SELECT coalesce(sum(seq_scan), 0) AS scans, coalesce(sum(idx_tup_fetch), 0) AS fetched "
    "FROM pg_stat_xact_user_tables WHERE schemaname = 'ledger' AND relname = 'audit'"
)


@pytest.mark.parametrize("wanted", [{}, {"who": "jo"}, {"action": "jobs.retry"}, {"job": 4711}])
def test_a_page_reads_a_handful_of_rows_however_many_there_are(app, ledger, wanted):
    ledger.sql(
        "INSERT INTO ledger.audit (who, role, action, jobs) SELECT 'jo', 'operator', 'jobs.retry', ARRAY[n] "
        "FROM generate_series(1, 20000) n"
    )
    with looking(app.state.site.engine) as db:
        assert list_audit(db, AuditFilter(**wanted)).rows
        read = db.execute(READ).one()
    assert read.scans == 0
    assert read.fetched < 200


def test_the_endpoints_of_buttons_say_what_they_do():
    from dashboard.acting import made

    assert made(retry_job).name == "jobs.retry"
