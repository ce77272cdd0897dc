"""The privacy officer's pages: erasures asked for, decided, confirmed and followed; the calendar; the data map."""

import re
from uuid import UUID, uuid4

import pytest

from jobs.registry import load
from ledger.contract import publish
from models.operators import Role
from tests.dashboard.pages import press, read
from tests.dashboard.people import signed_in

NUMBER = "+447700900123"


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


@pytest.fixture
def officer(app):
    with signed_in(app, "olu", Role.PRIVACY_OFFICER) as client:
        yield client


@pytest.fixture
def shop(ledger):
    """A business in whose house two people share a number."""
    with ledger.admin.begin() as db:
        publish(db, load())
    business, one, other = uuid4(), uuid4(), uuid4()
    ledger.sql("INSERT INTO nexara.businesses (id, name, country) VALUES (:b, 'A shop', 'GB')", b=business)
    for person in (one, other):
        ledger.sql("INSERT INTO nexara.people (business_id, id) VALUES (:b, :p)", b=business, p=person)
        ledger.sql(
            "INSERT INTO nexara.identifiers (business_id, person_id, kind, value) VALUES (:b, :p, 'phone', :v)",
            b=business,
            p=person,
            v=NUMBER,
        )
    return business, one, other


def ask(officer, business, **typed):
    """Ask for an erasure by the form; returns where that leads."""
    form = read(officer.get("/privacy/erasures/new")).form("/privacy/erasures")
    told = {**form.fields, "business": str(business), "scope": "person", "why": "they wrote to us", **typed}
    return officer.post(form.action, data=told)


def resolved(ledger, business, erasure, decision, *people):
    """What the job that finds out leaves behind."""
    ledger.sql("DELETE FROM nexara.erasure_scope WHERE source = 'asked'")
    for person in people:
        ledger.sql(
            "INSERT INTO nexara.erasure_scope (business_id, erasure_id, source, row_id, evidence, decision, shared) "
            "VALUES (:b, :e, 'people', :p, 'identifier', :d, true)",
            b=business,
            e=erasure,
            p=person,
            d=decision,
        )
    ledger.sql("UPDATE nexara.erasures SET plan = '{\"people\": 1}' WHERE id = :e", e=erasure)


def test_what_is_typed_is_resolved_by_a_job_and_shown_on_no_page(officer, ledger, shop):
    business, *_ = shop
    answer = ask(officer, business, identifiers=f" {NUMBER} \n")
    assert answer.status_code == 303
    page = officer.get(answer.headers["location"])
    assert "Whom it means is being found out" in page.text
    assert "447700900123" not in page.text
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE kind = 'privacy.resolve'") == 1
    audited = ledger.sql("SELECT action || ' ' || why || ' ' || about::text FROM ledger.audit WHERE who = 'olu'")
    assert audited.startswith("privacy.erase they wrote to us")
    assert "447700900123" not in audited


def test_what_is_shared_is_opened_by_an_officer_alone_and_the_audit_knows(officer, viewer, ledger, shop):
    business, one, other = shop
    at = ask(officer, business, identifiers=NUMBER).headers["location"]
    resolved(ledger, business, at.rpartition("/")[2], "review", one, other)
    page = officer.get(at)
    assert "2 rows wait for a decision" in words(page)
    assert NUMBER not in page.text
    assert "Open personal data" not in viewer.get(at).text
    form = read(page).form("/open")
    assert officer.post(form.action, data={**form.fields, "why": ""}).status_code == 409
    opened = officer.post(form.action, data={**form.fields, "why": "two people share it"})
    assert NUMBER in opened.text
    assert ledger.sql("SELECT why FROM ledger.audit WHERE action = 'privacy.open'") == "two people share it"
    assert viewer.post(form.action, data={**form.fields, "why": "me too"}).status_code == 403


def test_each_row_is_decided_and_then_it_is_confirmed_with_a_reason(officer, ledger, shop):
    business, one, other = shop
    at = ask(officer, business, identifiers=NUMBER).headers["location"]
    erasure = UUID(at.rpartition("/")[2])
    resolved(ledger, business, erasure, "review", one, other)
    assert "Confirm" not in read(officer.get(at)).links
    assert press_confirm(officer, at).status_code == 409
    for row, decision in ((one, "include"), (other, "exclude")):
        form = next(
            form
            for form in read(officer.get(at)).forms
            if form.fields.get("row") == str(row) and form.fields["decision"] == decision
        )
        assert officer.post(form.action, data=form.fields).status_code == 303
    assert f"{at}/confirm" in read(officer.get(at)).hrefs
    assert "1 rows go" in words(officer.get(f"{at}/confirm")) or "1 row" in words(officer.get(f"{at}/confirm"))
    assert press_confirm(officer, at).headers["location"] == at
    assert ledger.sql("SELECT state FROM nexara.erasures WHERE id = :id", id=erasure) == "confirmed"
    assert ledger.sql("SELECT count(*) FROM ledger.jobs WHERE kind = 'privacy.record'") == 1
    actions = ledger.sql("SELECT string_agg(action, ' ' ORDER BY at) FROM ledger.audit WHERE who = 'olu'")
    assert actions == "privacy.erase privacy.decide privacy.decide privacy.confirm"


def press_confirm(officer, at):
    form = read(officer.get(f"{at}/confirm")).form("/confirm")
    return officer.post(form.action, data={**form.fields, "why": "they proved who they are"})


def test_a_viewer_looks_and_cannot_act_not_even_with_a_forged_request(viewer, officer, shop):
    business, *_ = shop
    at = ask(officer, business, identifiers=NUMBER).headers["location"]
    assert viewer.get("/privacy/erasures").status_code == 200
    assert viewer.get(at).status_code == 200
    assert viewer.get("/privacy/erasures/new").status_code == 403
    assert read(viewer.get(at)).forms[1:] == []
    form = read(officer.get(at)).form("/withdraw")
    assert viewer.post(form.action, data=form.fields).status_code == 403


def test_what_it_waits_for_stands_on_its_page_and_in_the_list(officer, ledger, shop):
    business, one, _ = shop
    at = ask(officer, business, root=str(one)).headers["location"]
    erasure = at.rpartition("/")[2]
    ledger.sql("DELETE FROM nexara.erasure_scope")
    ledger.sql("UPDATE nexara.erasures SET state = 'confirmed', confirmed_at = now() WHERE id = :e", e=erasure)
    ledger.sql("UPDATE nexara.erasures SET state = 'pending', erased_at = now() WHERE id = :e", e=erasure)
    for store, state in (("twilio", "manual"), ("vapi", "confirmed"), ("meta", "planned")):
        ledger.sql(
            "INSERT INTO nexara.remains (business_id, store, what, ref, state, retry_at, erasure_id) "
            "VALUES (:b, :s, 'call', 'x', :t, now(), :e)",
            b=business,
            s=store,
            t=state,
            e=erasure,
        )
    listed = words(officer.get("/privacy/erasures"))
    assert "somebody, for 1 copy" in listed
    page = officer.get(at)
    assert "1 copy waits for somebody" in words(page)
    assert press(officer, at, "/ask-again").status_code == 303
    assert ledger.sql("SELECT count(*) FROM nexara.remains WHERE state = 'manual'") == 0


def test_what_is_wrong_with_the_form_is_said_and_nothing_typed_is_lost(officer, shop):
    answer = ask(officer, "no id", identifiers=NUMBER)
    assert answer.status_code == 409
    assert "the id of the business is no id" in answer.text.lower()
    assert NUMBER in answer.text
    assert ask(officer, uuid4(), root=str(uuid4())).status_code == 409


def test_there_is_no_such_erasure(officer):
    assert officer.get(f"/privacy/erasures/{uuid4()}/{uuid4()}").status_code == 404
    assert "No erasure is under way" in officer.get("/privacy/erasures").text


def test_the_calendar_tells_what_goes_on_which_day(officer, ledger, shop):
    business, *_ = shop
    assert "Nothing goes in these 30 days" in officer.get("/privacy/calendar").text
    ledger.sql(
        "INSERT INTO nexara.visitors (business_id, person_id, last_seen) "
        "SELECT business_id, id, now() - interval '80 days' FROM nexara.people"
    )
    ledger.sql("UPDATE nexara.businesses SET ended_at = now() - interval '3 days' WHERE id = :b", b=business)
    page = words(officer.get("/privacy/calendar"))
    assert "visitors 2" in page
    assert "may come back" in page
    assert officer.get("/privacy/calendar?days=8").status_code == 404


def test_the_data_map_is_searched_by_table_column_and_word(viewer):
    whole = viewer.get("/privacy/map")
    assert "transcripts" in whole.text
    found = viewer.get("/privacy/map?q=phone+number")
    assert "identifiers" in found.text or "leads" in found.text
    assert "Nothing in the map says that" in viewer.get("/privacy/map?q=nosuchthing").text
    assert "table-meter" not in viewer.get("/privacy/map?q=transcripts").text
