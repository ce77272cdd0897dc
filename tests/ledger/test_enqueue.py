"""Enqueueing: one SQL function, in the caller's transaction, that refuses what does not belong."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger import clock
from tests.ledger.kinds import Paint

WALL = "6f1b0a52-0f6b-4a7e-9d3c-0a4b1e6f2a11"


def enqueue(db: Any, business: Any, payload: Any, kind: str = "walls.paint", **more: Any) -> Any:
    extra = "".join(f", p_{name} => :{name}" for name in more)
    return db.execute(
        text(f"SELECT ledger.enqueue_job_v1(:kind, CAST(:payload AS jsonb), :business{extra})"),
        {
            "kind": kind,
            "payload": payload if isinstance(payload, str) else json.dumps(payload),
            "business": business,
            **more,
        },
    ).scalar_one()


def test_a_job_of_a_rolled_back_transaction_never_was(ledger):
    with pytest.raises(RuntimeError), ledger.web.begin() as db:
        enqueue(db, ledger.business, {"wall_id": WALL})
        raise RuntimeError
    assert ledger.sql("SELECT count(*) FROM ledger.jobs") == 0


def test_a_job_of_a_committed_transaction_is_due(ledger):
    with ledger.web.begin() as db:
        job = ledger.sql  # the web role may not read the ledger: ask as superuser after the commit
        job_id = enqueue(db, ledger.business, {"wall_id": WALL.upper(), "colour": "red", "glossy": True})
    row = ledger.job(job_id)
    assert (row.state, row.fence, row.attempt, row.root_id) == ("available", 0, 0, job_id)
    assert row.payload == {"wall_id": WALL, "colour": "red", "glossy": True}
    assert row.business_id == ledger.business
    assert job("SELECT count(*) FROM ledger.jobs") == 1


@pytest.mark.parametrize(
    ("kind", "payload", "says"),
    [
        ("walls.eat", {"wall_id": WALL}, "unknown kind of job: walls.eat"),
        ("Jane Doe +447700900123", {"wall_id": WALL}, "unknown kind of job\n"),
        ("walls.paint", {}, "lacks wall_id"),
        ("walls.paint", {"wall_id": WALL, "colour": "green"}, "colour must be a code, one of red, blue"),
        ("walls.paint", {"wall_id": WALL, "number": "x"}, "does not know: number"),
        ("walls.paint", {"wall_id": WALL, "+447700900123": "x"}, "does not know\n"),
        ("walls.paint", {"wall_id": "447700900123"}, "wall_id must be a UUID"),
        ("walls.paint", {"wall_id": 447700900123}, "wall_id must be a UUID"),
        ("walls.paint", {"wall_id": None}, "wall_id must be a UUID"),
        ("walls.paint", {"wall_id": WALL, "glossy": "true"}, "glossy must be a flag"),
        ("walls.paint", [WALL], "must be a JSON object"),
        ("walls.paint", "null", "must be a JSON object"),
        ("retention.sweep", {"as_of": "2026-02-30T02:30:00Z"}, "as_of must be a time"),
        ("retention.sweep", {"as_of": "2026-02-20T02:30:00"}, "as_of must be a time"),
        ("retention.sweep", {"as_of": "tomorrow"}, "as_of must be a time"),
    ],
)
def test_what_does_not_belong_is_refused_and_nothing_written(ledger, kind, payload, says):
    with pytest.raises(DBAPIError) as refused, ledger.web.begin() as db:
        enqueue(db, ledger.business, payload, kind)
    told = str(refused.value.orig) + "\n"
    assert says in told
    assert "447700900123" not in told
    assert ledger.sql("SELECT count(*) FROM ledger.jobs") == 0


def test_a_time_is_stored_in_utc(ledger):
    with ledger.web.begin() as db:
        job_id = enqueue(db, ledger.business, {"as_of": "2026-10-25T02:30:00+02:00"}, "retention.sweep")
    assert ledger.job(job_id).payload == {"as_of": "2026-10-25T00:30:00.000000Z"}


def test_a_priority_outside_the_four_is_refused(ledger):
    with pytest.raises(DBAPIError, match="0 \\(first\\) to 3 \\(last\\)"), ledger.web.begin() as db:
        enqueue(db, ledger.business, {"wall_id": WALL}, priority=9)


def test_a_duplicate_returns_the_open_job(ledger):
    with ledger.web.begin() as db:
        first = enqueue(db, ledger.business, {"wall_id": WALL, "colour": "red"})
    with ledger.web.begin() as db:
        assert enqueue(db, ledger.business, {"wall_id": WALL.upper(), "colour": "blue"}) == first
        assert enqueue(db, ledger.other, {"wall_id": WALL}) != first
    ledger.run()
    with ledger.web.begin() as db:
        assert enqueue(db, ledger.business, {"wall_id": WALL}) != first


def test_a_duplicate_of_a_running_job_waits_its_turn(ledger):
    with ledger.web.begin() as db:
        first = enqueue(db, ledger.business, {"wall_id": WALL})
    ledger.claimed()
    with ledger.web.begin() as db:
        second = enqueue(db, ledger.business, {"wall_id": WALL})
    assert second != first
    assert ledger.job(second).state == "available"


def test_a_duplicate_of_a_running_until_done_job_makes_it_run_again(ledger):
    with ledger.web.begin() as db:
        first = enqueue(db, ledger.business, {"wall_id": WALL}, "walls.count")
    (held,) = ledger.claimed()
    with ledger.web.begin() as db:
        assert enqueue(db, ledger.business, {"wall_id": WALL}, "walls.count") == first
    assert ledger.job(first).again
    ledger.runner.run(held)
    assert (ledger.job(first).state, ledger.job(first).again) == ("available", True)  # at its end, once more


def test_run_at_in_the_future_waits_and_is_promoted(ledger):
    with ledger.web.begin() as db:
        job_id = enqueue(db, ledger.business, {"wall_id": WALL}, run_at=clock.now() + timedelta(hours=1))
    assert ledger.job(job_id).state == "scheduled"
    with ledger.worker.begin() as db:
        assert db.execute(text("SELECT ledger.promote_v1()")).scalar_one() == 0
    ledger.sql("UPDATE ledger.jobs SET run_at = now() WHERE id = :id", id=job_id)
    with ledger.worker.begin() as db:
        assert db.execute(text("SELECT ledger.promote_v1()")).scalar_one() == 1
    assert (ledger.job(job_id).state, ledger.job(job_id).fence) == ("available", 1)


def test_a_web_transaction_of_one_business_cannot_enqueue_for_another(ledger):
    with pytest.raises(DBAPIError, match="cannot enqueue for another"), ledger.web.begin() as db:
        db.execute(text("SELECT nexara.act_for(:id)"), {"id": ledger.business})
        enqueue(db, ledger.other, {"wall_id": WALL})
    with ledger.web.begin() as db:
        db.execute(text("SELECT nexara.act_for(:id)"), {"id": ledger.business})
        job_id = enqueue(db, None, {"wall_id": WALL})
    assert ledger.job(job_id).business_id == ledger.business


def test_without_a_business_it_says_what_to_do(ledger):
    with pytest.raises(DBAPIError, match="needs p_business_id"), ledger.web.begin() as db:
        enqueue(db, None, {"wall_id": WALL})


def test_nobody_else_may_enqueue_or_read(ledger):
    ledger.sql("CREATE ROLE stranger_" + uuid4().hex[:8] + " LOGIN")
    for role in ("tenant_job", "nexara_web", "nexara_worker", "nexara_dashboard"):
        assert ledger.sql(f"SELECT NOT has_table_privilege('{role}', 'ledger.kept_answers', 'SELECT')")
        assert ledger.sql(
            f"SELECT NOT has_table_privilege('{role}', 'ledger.jobs', 'INSERT, UPDATE, DELETE, TRUNCATE')"
        )
    stranger = ledger.sql("SELECT rolname FROM pg_roles WHERE rolname LIKE 'stranger_%' LIMIT 1")
    open_to_all = ledger.sql(
        "SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc p WHERE p.pronamespace IN "
        "('ledger'::regnamespace, 'nexara'::regnamespace) AND has_function_privilege(:who, p.oid, 'EXECUTE')",
        who=stranger,
    )
    assert open_to_all is None
    for function in (
        "enqueue_job_v1(text,jsonb,uuid,integer,timestamptz,uuid)",
        "enqueue_jobs_v1(text,jsonb[],uuid,integer,timestamptz,uuid)",
    ):
        assert not ledger.sql(
            "SELECT has_function_privilege(:who, :function, 'EXECUTE')", who=stranger, function=f"public.{function}"
        )


def test_two_enqueuers_of_one_key_agree(ledger):
    with ledger.web.connect() as one, ledger.web.connect() as two:
        one.begin()
        first = enqueue(one, ledger.business, {"wall_id": WALL})
        two.begin()
        two.execute(text("SET LOCAL statement_timeout = '200ms'"))
        with pytest.raises(DBAPIError):  # it waits for the first to end, whichever way
            enqueue(two, ledger.business, {"wall_id": WALL})
        two.rollback()
        one.rollback()
    with ledger.web.begin() as db:
        assert enqueue(db, ledger.business, {"wall_id": WALL}) != first


@pytest.mark.parametrize("when", ["infinity", "-infinity", "9999-01-01T00:00:00Z"])
def test_a_time_that_never_comes_is_refused(ledger, when):
    with pytest.raises(DBAPIError, match="over a year ahead"), ledger.web.begin() as db:
        db.execute(
            text(
                "SELECT ledger.enqueue_job_v1('walls.paint', :payload, :business, NULL, CAST(:run_at AS timestamptz))"
            ),
            {"payload": json.dumps({"wall_id": WALL}), "business": ledger.business, "run_at": when},
        )


def test_a_follow_up_knows_the_job_that_enqueued_it_and_the_first_of_its_chain(ledger):
    first = ledger.enqueue(Paint(wall_id=uuid4()))
    ledger.run()
    (held,) = ledger.claimed()
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.start_v1(:id, :fence)"), {"id": held.id, "fence": held.fence})
    with ledger.worker.begin() as db:
        db.execute(text("SELECT ledger.begin_save_v1(:id, :fence)"), {"id": held.id, "fence": held.fence})
        third = db.execute(
            text("SELECT ledger.enqueue_job_v1('walls.dry', jsonb_build_object('wall_id', gen_random_uuid()))")
        ).scalar_one()
    assert ledger.job(first).parent_id is None
    assert (ledger.job(held.id).parent_id, ledger.job(held.id).root_id) == (first, first)
    assert (ledger.job(third).parent_id, ledger.job(third).root_id) == (held.id, first)
