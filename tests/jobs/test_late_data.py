"""What vendors send after an erasure: nothing comes back, nothing is billed twice, and a new call is kept."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jobs.billing.payloads import ReconcileBilling
from jobs.conversations.payloads import RecoverConversations
from lifecycle.tombs import bury
from models.base import Row
from models.erasures import Erasure, ErasureState, Origin, Scope
from tests.jobs.shop import MONDAY
from tests.lifecycle.desk import Desk, phone

GOES = ("recordings", "call_legs", "calls", "conversations", "identifiers", "people")
"""What goes with a person, children first."""
RECORDED = ("CA1", "CA1-leg", "CA1-sound")
"""The vendor's ids in the webhooks that were recorded: of the call, its second leg, its recording."""


@pytest.fixture
def desk(house, shop) -> Desk:
    return Desk(house.admin, house.web, shop.business)


def calls(house: Any, desk: Desk, ref: str, *, at: Any = MONDAY) -> Any:
    """A call comes in, its recording turns out to be of no use, and it is metered."""
    told = desk.called(ref, phone(), at=at)
    with desk.acting() as db:
        db.execute(text("UPDATE live.recordings SET state = 'unusable' WHERE state = 'pending'"))
    house.drain()
    return told


def erased(desk: Desk) -> int:
    """Erase everybody as a job does: jobs first, then tombstones, then rows; return how many jobs were forgotten."""
    with desk.job() as db:
        erasure = Erasure(
            id=uuid4(),
            business_id=desk.business,
            scope=Scope.PERSON,
            origin=Origin.REQUEST,
            state=ErasureState.ERASING,
            confirmed_at=MONDAY + timedelta(hours=1),
        )
        db.add(erasure)
        db.flush()
        going = [
            (Row.metadata.tables[f"nexara.{name}"], db.scalars(text(f"SELECT id FROM live.{name}")).all())
            for name in GOES
        ]
        ids = [str(each) for _, theirs in going for each in theirs]
        forgotten = db.scalar(text("SELECT ledger.forget_jobs_v1(CAST(:ids AS uuid[]))"), {"ids": ids})
        bury(db, erasure, going)
        db.execute(text("DELETE FROM live.emails_sent"))
        for name in GOES:
            db.execute(text(f"DELETE FROM live.{name}"))
        return int(forgotten or 0)


def usage(house: Any) -> list[Any]:
    return house.rows("SELECT event_key, quantity, at FROM nexara.meter ORDER BY at")


def left(house: Any) -> dict[str, int]:
    return {name: house.sql(f"SELECT count(*) FROM nexara.{name}") for name in GOES}


def test_recorded_webhooks_are_dropped_usage_stays_and_the_next_call_is_kept(house, desk):
    first = calls(house, desk, "CA1")
    used = usage(house)
    assert [row.event_key for row in used] == [first.event_key]
    assert erased(desk) > 0
    assert left(house) == dict.fromkeys(GOES, 0)
    for ref in RECORDED:
        assert desk.arrives(ref, phone(), at=MONDAY).answer == "erased", ref
    assert desk.called("CA1", phone(), at=MONDAY).answer == "erased"
    # One whose id was never seen, of the same number, from before: it too is of what was erased.
    assert desk.called("CA2", phone(), at=MONDAY + timedelta(minutes=59)).answer == "erased"
    house.house_enqueue(RecoverConversations(as_of=MONDAY + timedelta(days=2)))
    house.house_enqueue(ReconcileBilling(as_of=MONDAY + timedelta(days=2)))
    house.drain_all()
    assert left(house) == dict.fromkeys(GOES, 0)
    assert usage(house) == used
    again = calls(house, desk, "CA3", at=MONDAY + timedelta(hours=2))
    assert again.answer == "accepted"
    assert again.person_id != first.person_id
    assert [row.event_key for row in usage(house)] == [first.event_key, again.event_key]
    assert left(house) == dict.fromkeys(GOES, 1)


def test_a_handler_that_does_not_ask_is_refused_and_leaves_nothing(house, desk):
    told = calls(house, desk, "CA1")
    erased(desk)
    with pytest.raises(DBAPIError) as refused, desk.acting() as db:
        person = desk.put(db, "people")
        desk.put(db, "conversations", person_id=person, channel="call", event_key=told.event_key)
    assert refused.value.orig.sqlstate == "NX002"
    assert left(house) == dict.fromkeys(GOES, 0)


def test_when_tombstones_have_lapsed_what_was_billed_is_still_not_let_in(house, desk):
    calls(house, desk, "CA1")
    used = usage(house)
    erased(desk)
    house.sql("DELETE FROM nexara.tombstones")
    assert desk.called("CA1", phone()).answer == "duplicate"
    assert (left(house)["people"], usage(house)) == (0, used)


def test_no_job_that_waited_for_what_was_erased_runs_or_names_it(house, desk):
    desk.called("CA1", phone())
    with desk.acting() as db:
        db.execute(text("UPDATE live.recordings SET state = 'unusable' WHERE state = 'pending'"))
    (conversation,) = house.rows("SELECT id FROM nexara.conversations")
    assert erased(desk) == 1
    assert house.drain() == []
    assert not names(house, conversation.id)


def names(house: Any, row_id: UUID) -> bool:
    return str(row_id) in str(house.sql("SELECT json_agg(j) FROM ledger.jobs j"))
