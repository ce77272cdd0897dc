"""Every ten minutes whoever has copies that are due is found, and each of their stores asked by a job of its own."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import text

from jobs.copies.payloads import FOLLOWS, SweepCopies, following
from tests.jobs.remaining import STORES


def sweep(remaining):
    """Let the sweep run, and none of the jobs that it enqueues; return those, by business and kind."""
    house = remaining.house
    house.house_enqueue(SweepCopies(as_of=datetime.now(UTC)))
    house.step()
    return {(job.business_id, job.kind) for job in house.jobs("copies.%") if job.kind != SweepCopies.kind}


def test_each_business_and_store_with_something_due_gets_a_job(remaining, new_shop):
    mine, theirs = remaining.business, new_shop().business
    for store in STORES:
        remaining.leave(store, "call", "x1")
        remaining.leave(store, "call", "x2")
    remaining.leave("twilio", "call", "x1", business=theirs)
    expected = {(mine, FOLLOWS[store].kind) for store in STORES} | {(theirs, "copies.twilio")}
    remaining.house.house_enqueue(SweepCopies(as_of=datetime.now(UTC)))
    assert sweep(remaining) == expected
    assert len(remaining.house.jobs("copies.sweep")) == 2
    assert len(remaining.house.jobs("copies.twilio")) == 2, "of two sweeps one asks"


def test_what_is_done_or_not_due_yet_gets_none(remaining):
    for state in ("confirmed", "lapses", "contract", "manual"):
        remaining.leave("twilio", "call", state, state=state)
    remaining.leave("twilio", "call", "later", age=timedelta(hours=-1))
    assert sweep(remaining) == set()


def test_what_has_no_time_is_due(remaining):
    remaining.leave("vapi", "call", "v1", age=None)
    assert sweep(remaining) == {(remaining.business, "copies.vapi")}


def test_a_store_that_nobody_knows_is_told_and_keeps_no_other_from_its_job(remaining):
    remaining.leave("fax", "call", "f1")
    remaining.leave("vapi", "call", "v1")
    house = remaining.house
    house.house_enqueue(SweepCopies(as_of=datetime.now(UTC)))
    house.drain()
    swept = house.job("copies.sweep")
    assert (swept.state, swept.reason) == ("dead", "copies_store_unknown")
    assert house.job("copies.vapi").state == "succeeded"


def test_a_day_ahead_makes_nothing_due_early(remaining):
    remaining.leave("twilio", "call", "later", age=timedelta(hours=-1))
    remaining.house.house_enqueue(SweepCopies(as_of=datetime(2999, 1, 1, tzinfo=UTC)))
    remaining.house.drain()
    assert remaining.house.jobs("copies.twilio") == []


def test_a_job_of_a_business_is_told_nothing_of_the_others(remaining):
    remaining.leave("twilio", "call", "x1")
    house = remaining.house
    house.enqueue(following("vapi", remaining.business), remaining.business)
    (claimed,) = house.claimed()
    with house.worker.begin() as db:
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), {"id": claimed.id, "fence": claimed.fence})
    with house.worker.connect() as db, db.begin() as job:
        db.execute(text("SELECT ledger.begin_load_v1(:id, :fence)"), {"id": claimed.id, "fence": claimed.fence})
        assert db.execute(text("SELECT * FROM nexara.copies_due_v1(now())")).all() == []
        job.rollback()


def test_the_house_reads_of_copies_whose_they_are_and_never_what_they_are_called(remaining):
    remaining.leave("twilio", "call", str(uuid4()))
    may = remaining.house.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'nexara.remains'::regclass AND attnum > 0 "
        "AND has_column_privilege('nexara_house', attrelid, attnum, 'SELECT') ORDER BY 1"
    )
    told = {row.attname for row in may}
    assert {"business_id", "confirmed_at", "retry_at", "state", "store"} <= told
    assert not told & {"ref", "digest"}
