"""What the nights did: the last reconciliation and the last deletion on the overview, and what came of each."""

import re
from datetime import timedelta

import pytest

from jobs.billing.payloads import ReconcileBilling
from jobs.registry import load
from jobs.retention.payloads import SweepRetention
from ledger import clock
from ledger.contract import publish
from ledger.tick import fire
from tests.dashboard.pages import read
from tests.ledger.operating import Upkeep

FOUND = """
INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, parent_id, payload, state, max_attempts,
                         give_up_at, finished_at)
SELECT :kind, 'upkeep', 2, gen_random_uuid(), :root, :root, '{}', state, 1, now(), now()
FROM unnest(CAST(:states AS text[])) AS s (state)
"""


def words(page, card):
    part = page.text.split(f'aria-labelledby="{card}"')[1].split("</section>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part))


@pytest.fixture
def night(ledger):
    """Both nightly schedules have fired five minutes ago; their jobs by schedule."""
    with ledger.admin.begin() as db:
        publish(db, load())
    due = clock.now() - timedelta(minutes=5)
    with ledger.worker.begin() as db:
        return {
            "reconciliation": fire(db, "reconciliation", "tonight", due, ReconcileBilling(as_of=due)),
            "retention": fire(db, "retention", "tonight", due, SweepRetention(as_of=due)),
        }


def test_before_the_first_night_it_is_said_what_will_stand_there(browser):
    page = browser.get("/")
    for card in ("reconciliation", "privacy"):
        assert "It has not run yet." in words(page, card)
    assert "which of them is nearing its deadline" in words(page, "privacy")


def test_a_night_that_found_nothing_says_so_once_it_has_ended(browser, ledger, night):
    assert "metered." not in words(browser.get("/"), "reconciliation")
    Upkeep(ledger).to_the_end()
    page = browser.get("/")
    assert "succeeded" in words(page, "reconciliation")
    assert "Every conversation that had ended by then was metered." in words(page, "reconciliation")
    assert "No business had rows past their end." in words(page, "privacy")
    assert {f"/jobs/{job_id}" for job_id in night.values()} <= set(read(page).hrefs)


def test_what_a_night_found_is_counted_by_what_became_of_it(browser, ledger, night):
    found = (
        ("usage.meter", "reconciliation", ["succeeded"] * 3),
        ("retention.expire", "retention", ["dead", "succeeded"]),
    )
    for kind, schedule, states in found:
        ledger.sql(FOUND, kind=kind, root=night[schedule], states=states)
    page = browser.get("/")
    assert "It found 3 conversations that were not metered" in words(page, "reconciliation")
    assert "It found 2 businesses with rows past their end" in words(page, "privacy")
    assert "dead 1" in words(page, "privacy")
    assert "1 business still has data that should be gone" in page.text
    assert "/failures?kind=retention.expire&state=dead" in read(page).hrefs


def test_a_reconciliation_that_died_needs_somebody(browser, ledger, night):
    assert "The last reconciliation is" not in browser.get("/").text
    ledger.sql("UPDATE ledger.jobs SET state = 'dead', finished_at = now() WHERE id = :id", id=night["reconciliation"])
    page = browser.get("/")
    assert "The last reconciliation is dead" in page.text
    assert read(page).links["Its job"] == f"/jobs/{night['reconciliation']}"
    assert "Every conversation" not in words(page, "reconciliation")


def test_what_came_of_what_it_found_is_not_counted_as_found(browser, ledger, night):
    root = night["reconciliation"]
    ledger.sql(FOUND, kind="usage.meter", root=root, states=["succeeded"])
    meter = ledger.sql("SELECT max(id) FROM ledger.jobs")
    ledger.sql(FOUND, kind="alerts.send", root=root, states=["succeeded"] * 4)
    ledger.sql("UPDATE ledger.jobs SET parent_id = :meter WHERE kind = 'alerts.send'", meter=meter)
    assert "It found 1 conversation that was not metered" in words(browser.get("/"), "reconciliation")


def test_an_erasure_that_takes_too_long_is_on_the_overview_and_names_nobody(browser, ledger):
    ledger.sql(
        "WITH gone AS (INSERT INTO nexara.businesses (name, country) VALUES ('Harbour Repairs', 'IE') RETURNING id)"
        " INSERT INTO nexara.erasures (business_id, scope, root_id, origin, state, asked_at, confirmed_at)"
        " SELECT id, 'person', gen_random_uuid(), 'request', 'pending', t, t"
        " FROM gone, (SELECT now() - interval '9 days') w (t)"
    )
    page = browser.get("/")
    assert "An erasure that was asked for 9 days ago is not completed" in page.text
    assert "Harbour" not in page.text
    assert "/jobs?kind=privacy.verify" in read(page).hrefs
