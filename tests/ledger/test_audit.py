"""The audit: one row each action, in the transaction that acts, and nobody changes it afterwards."""

from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from ledger.audit import RIGHTS, Actor, Right, record
from ledger.by_hand import change
from ledger.operate import Refused, discard
from models.operators import Role
from tests.ledger.kinds import Dry

KIM = Actor("kim", Role.OPERATOR)


@pytest.fixture
def on_call(database):
    engine = create_engine(database.dashboard_url)
    yield engine
    engine.dispose()


def test_an_action_and_its_row_are_one_transaction(ledger, on_call):
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    with on_call.connect() as db:
        with db.begin() as undone:
            changed = change(db, job_id, discard)
            record(db, KIM, "jobs.discard", jobs=[job_id], before=changed.before, after=changed.after)
            undone.rollback()
        assert ledger.job(job_id).state == "available"
        assert ledger.sql("SELECT count(*) FROM ledger.audit") == 0
        with db.begin():
            changed = change(db, job_id, discard)
            record(
                db, KIM, "jobs.discard", why="it is wrong", jobs=[job_id], before=changed.before, after=changed.after
            )
    told = ledger.sql("SELECT to_jsonb(a) - 'at' - 'id' FROM ledger.audit a")
    assert told.pop("before")["state"] == "available"
    assert told.pop("after")["state"] == "discarded"
    assert told == {
        "who": "kim",
        "role": "operator",
        "action": "jobs.discard",
        "why": "it is wrong",
        "about": {},
        "jobs": [job_id],
    }


@pytest.mark.parametrize(
    "how", ["UPDATE ledger.audit SET why = 'x'", "DELETE FROM ledger.audit", "TRUNCATE ledger.audit"]
)
@pytest.mark.parametrize("whose", ["nexara_ledger", "the superuser"])
def test_a_row_is_changed_by_nobody_the_ledgers_owner_and_a_superuser_included(ledger, on_call, how, whose):
    with on_call.begin() as db:
        record(db, KIM, "jobs.retry", jobs=[1])
    with ledger.admin.connect() as db, db.begin():
        if whose == "nexara_ledger":
            db.execute(text("SET LOCAL ROLE nexara_ledger"))
        with pytest.raises(DBAPIError, match="only added to"):
            db.execute(text(how))
    assert ledger.sql("SELECT count(*) FROM ledger.audit WHERE why IS NULL") == 1


@pytest.mark.parametrize("why", ["call +49 151 12345678 back", "for jo@example.com", "0049 (151) 123-45678 asked"])
def test_a_reason_names_nobody(on_call, why):
    with on_call.begin() as db, pytest.raises(Refused, match="names nobody"):
        record(db, KIM, "jobs.retry", why=why, jobs=[1])


def test_a_reason_may_name_jobs_times_and_ids(ledger, on_call):
    why = f"since 2026-11-24 03:00:12 +00:00, 20000 jobs from 100004711 on; business {uuid4()}, a@ 3 + 4"
    with on_call.begin() as db:
        record(db, KIM, "jobs.retry", why=why)
    assert ledger.sql("SELECT why FROM ledger.audit") == why


def test_what_is_recorded_before_is_how_the_job_stood_when_it_was_locked(ledger, on_call):
    job_id = ledger.enqueue(Dry(wall_id=uuid4()))
    with on_call.begin() as db, ledger.admin.connect() as other, other.begin() as theirs:
        other.execute(text("SELECT FROM ledger.jobs WHERE id = :id FOR UPDATE"), {"id": job_id})
        with pytest.raises(Refused, match="look again in a moment"):
            change(db, job_id, discard)
        theirs.rollback()
    with on_call.begin() as db, pytest.raises(Refused, match="there is no job"):
        change(db, 2**80, discard)


def test_who_hands_out_roles_sees_nobodys_data_and_who_sees_it_hands_out_none():
    assert not RIGHTS[Role.ADMIN] & {Right.SEE_PERSONAL_DATA}
    assert not RIGHTS[Role.PRIVACY_OFFICER] & {Right.MANAGE_OPERATORS}
    assert RIGHTS[Role.VIEWER] == {Right.LOOK}
    assert RIGHTS[Role.VIEWER] < RIGHTS[Role.OPERATOR] < RIGHTS[Role.ADMIN]
    assert RIGHTS[Role.OPERATOR] < RIGHTS[Role.PRIVACY_OFFICER]
