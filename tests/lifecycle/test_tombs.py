"""Before rows go, what a vendor may still name them by gets a tombstone; and so does what only they were reached by."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from lifecycle.tombs import bury
from models.arriving import event_keys, vendor_refs
from models.base import Row
from models.entries import rows, table_of
from models.erasures import Decision, Erasure, ErasureScope, ErasureState, Evidence, Origin, Scope
from tests.lifecycle.desk import NUMBER, Desk, phone
from tests.rows import AT

PARTS = ("people", "identifiers", "conversations", "calls", "call_legs", "recordings")


def going(desk: Desk, *tables: str) -> list[tuple[Any, list[UUID]]]:
    """Return all rows of these tables, in two pieces that overlap."""
    found = []
    for name in tables:
        ids = [row.id for row in desk.rows(f"SELECT id FROM nexara.{name} WHERE business_id = :b", b=desk.business)]
        found += [(Row.metadata.tables[f"nexara.{name}"], ids[at:]) for at in range(2)]
    return found


def erasing(
    db: Any, desk: Desk, *values: str, scope: Scope = Scope.PERSON, decision: Decision = Decision.INCLUDE
) -> Erasure:
    erasure = Erasure(
        id=uuid4(),
        business_id=desk.business,
        scope=scope,
        origin=Origin.REQUEST,
        state=ErasureState.RESOLVING,
    )
    db.add(erasure)
    db.flush()
    for value in values:
        told = {
            "source": "identifiers",
            "row_id": uuid4(),
            "value": value,
            "evidence": Evidence.OWN,
            "decision": decision,
        }
        db.add(ErasureScope(business_id=desk.business, erasure_id=erasure.id, **told))
    db.flush()
    erasure.state, erasure.confirmed_at = ErasureState.ERASING, AT
    db.flush()
    return erasure


def buried(desk: Desk, *tables: str, values: tuple[str, ...] = (), **told: Any) -> None:
    with desk.job() as db:
        bury(db, erasing(db, desk, *values, **told), going(desk, *tables))


def stones(desk: Desk, sort: str) -> set[str]:
    return {row.digest for row in desk.rows("SELECT digest FROM nexara.tombstones WHERE sort = :sort", sort=sort)}


def key(desk: Desk, ref: str) -> str:
    return str(desk.sql("SELECT nexara.event_key_v1('twilio', :ref)", ref=ref))


def test_every_event_and_every_copy_of_what_goes_gets_a_tombstone_once(desk, other):
    desk.called("CA1", phone())
    other.called("CA2", phone())
    for _ in range(2):
        buried(desk, *PARTS)
    assert stones(desk, "event") == {key(desk, ref) for ref in ("CA1", "CA1-leg", "CA1-sound")}
    assert len(stones(desk, "identifier")) == 1
    assert desk.rows("SELECT DISTINCT business_id FROM nexara.tombstones") == [(desk.business,)]


def test_by_the_erasure_s_own_walk_it_buries_the_same(desk):
    person = desk.called("CA1", phone()).person_id
    with desk.job() as db:
        erasure = Erasure(
            id=uuid4(),
            business_id=desk.business,
            scope=Scope.PERSON,
            origin=Origin.REQUEST,
            state=ErasureState.RESOLVING,
        )
        db.add(erasure)
        db.flush()
        meant = {"source": "people", "row_id": person, "evidence": Evidence.ASKED, "decision": Decision.INCLUDE}
        db.add(ErasureScope(business_id=desk.business, erasure_id=erasure.id, **meant))
        db.flush()
        erasure.state, erasure.confirmed_at = ErasureState.ERASING, AT
        db.flush()
        bury(db, erasure)
    assert stones(desk, "event") == {key(desk, ref) for ref in ("CA1", "CA1-leg", "CA1-sound")}
    assert len(stones(desk, "identifier")) == 1


def test_of_a_single_recording_only_that_is_kept_out(desk):
    desk.called("CA1", phone())
    buried(desk, "recordings", scope=Scope.RECORDING)
    assert stones(desk, "event") == {key(desk, "CA1-sound")}
    assert stones(desk, "identifier") == set()
    assert desk.arrives("CA1", phone()).answer == "duplicate"
    assert desk.arrives("CA1-sound", None).answer == "erased"


def test_a_number_that_somebody_who_stays_is_reached_by_is_not_buried_unless_it_was_decided(desk):
    desk.called("CA1", phone())
    gone = going(desk, *PARTS)
    with desk.acting() as db:
        desk.put(db, "identifiers", person_id=desk.put(db, "people"), kind="phone", value=NUMBER)
    with desk.job() as db:
        bury(db, erasing(db, desk), gone)
    assert stones(desk, "identifier") == set()
    with desk.job() as db:
        bury(db, erasing(db, desk, NUMBER, decision=Decision.EXCLUDE), gone)
    assert stones(desk, "identifier") == set()
    with desk.job() as db:
        bury(db, erasing(db, desk, NUMBER), gone)
    assert len(stones(desk, "identifier")) == 1


def test_who_keeps_their_number_and_only_loses_what_was_said_is_kept_out_until_then(desk):
    desk.called("CA1", phone())
    buried(desk, "conversations", "calls", "call_legs", "recordings", values=(NUMBER,), scope=Scope.COMMUNICATIONS)
    assert desk.arrives("CA2", phone(), at=AT).answer == "erased"


def test_a_whole_business_needs_none(desk):
    desk.called("CA1", phone())
    buried(desk, *PARTS, scope=Scope.BUSINESS)
    assert desk.sql("SELECT count(*) FROM nexara.tombstones") == 0


def test_what_is_not_committed_was_not_buried(desk):
    desk.called("CA1", phone())
    with pytest.raises(ZeroDivisionError), desk.job() as db:
        bury(db, erasing(db, desk), going(desk, *PARTS))
        raise ZeroDivisionError
    assert desk.sql("SELECT count(*) FROM nexara.tombstones") == 0


def test_every_table_that_tells_of_an_event_is_guarded_and_the_meter_is_not(desk):
    told = {table_of(row).name for row in rows() if [*event_keys(row), *vendor_refs(row)]}
    assert {"conversations", "calls", "messages", "recordings"} <= told
    assert told.isdisjoint({"meter", "provider_events"})
    guarded = desk.rows("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'arrivals'")
    assert {f"nexara.{name}" for name in told} == {row[0] for row in guarded}


def test_a_tombstone_names_nobody(desk):
    desk.called("CA1", [*phone(), {"kind": "email", "value": "anna@example.com"}])
    buried(desk, *PARTS)
    told = str(desk.sql("SELECT json_agg(t) FROM nexara.tombstones t"))
    for token in (NUMBER, NUMBER[1:], "anna", "CA1"):
        assert token not in told
    with desk.job() as db:
        assert db.scalar(text("SELECT count(*) FROM live.tombstones")) == 5
