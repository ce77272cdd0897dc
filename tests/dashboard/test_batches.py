"""Batches in sight: on the page of each of their jobs, in a list, and one by itself with what it waits for."""

import re
from uuid import uuid4

from ledger.batch import batch, open_batch
from tests.dashboard.pages import read
from tests.ledger.batching import completed_as_a_set, gives_up, made, settle
from tests.ledger.conftest import web
from tests.ledger.kinds import Dry, Knock, Paint

__all__ = ["web"]


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_the_page_of_a_job_tells_of_its_batch_how_far_it_is_and_what_follows(browser, ledger, web):
    batch_id, (knocks, paints) = made(web, Knock(wall_id=uuid4()), Paint(wall_id=uuid4()))
    alone = ledger.enqueue(Dry(wall_id=uuid4()))
    completed_as_a_set(ledger)
    settle(ledger)
    for job_id in (knocks, paints):
        page = browser.get(f"/jobs/{job_id}")
        assert f"/batches/{batch_id}" in read(page).hrefs
        assert "1 of 2 jobs ended: succeeded 1" in words(page)
        assert "then walls.dry" in words(page)
    assert "Its batch" not in browser.get(f"/jobs/{alone}").text


def test_a_job_of_two_batches_tells_of_both(browser, ledger, web):
    first, (shared,) = made(web, Knock(wall_id=uuid4()))
    with web() as db, batch(db, then=Dry(wall_id=uuid4())) as second:
        second.add([shared])
    page = browser.get(f"/jobs/{shared}")
    assert {f"/batches/{first}", f"/batches/{second.id}"} <= set(read(page).hrefs)
    assert "Its batches" in page.text


def test_the_page_of_a_batch_lists_what_it_waits_for_what_died_and_then_what_followed(browser, ledger, web):
    with web() as db, batch(db, then=Dry(wall_id=uuid4()), if_died=Dry(wall_id=uuid4())) as opened:
        dies, waits = opened.enqueue(Paint(wall_id=uuid4())), opened.enqueue(Knock(wall_id=uuid4()))
    gives_up(ledger)
    settle(ledger)
    page = browser.get(f"/batches/{opened.id}")
    assert {f"/jobs/{dies}", f"/jobs/{waits}"} <= set(read(page).hrefs)
    assert "1 of 2 jobs ended: dead 1" in words(page)
    assert "It completes within a second of the last end" in page.text
    assert 'hx-get="' in page.text
    completed_as_a_set(ledger)
    settle(ledger)
    page = browser.get(f"/batches/{opened.id}")
    assert "2 of 2 jobs ended" in words(page)
    assert "None of its jobs is open." in page.text
    followed = ledger.sql("SELECT array_agg(job_id) FROM ledger.batch_follow_ups")
    assert {f"/jobs/{job_id}" for job_id in followed} <= set(read(page).hrefs)
    assert 'hx-get="' not in page.text


def test_batches_are_listed_the_last_opened_first_and_one_that_nobody_sealed_says_what_to_do(browser, ledger, web):
    assert "No batch has been opened yet." in browser.get("/batches").text
    sealed, _ = made(web, Knock(wall_id=uuid4()))
    with web() as db:
        left = open_batch(db, then=Dry(wall_id=uuid4()))
    page = browser.get("/batches")
    assert re.findall(r'id="batch-([0-9a-f-]+)"', page.text) == [str(left.id), str(sealed)]
    assert f"nexara batches seal {left.id}" in browser.get(f"/batches/{left.id}").text


def test_a_batch_that_is_not_there_says_so(browser):
    answer = browser.get(f"/batches/{uuid4()}")
    assert (answer.status_code, "There is no such batch" in answer.text) == (404, True)
