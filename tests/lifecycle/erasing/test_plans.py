"""Erasing reads what it takes away and little more, whatever else there is: each statement goes by its index."""

import time
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from lifecycle.erase import erase
from lifecycle.redact import redact
from models.erasures import Erasure, Scope
from tests.lifecycle.erasing.world import World

CROWD = 2000
READ = text(
    "SELECT relname, seq_tup_read + idx_tup_fetch AS read, seq_tup_read FROM pg_stat_xact_user_tables "
    "WHERE schemaname = 'nexara' AND seq_tup_read + idx_tup_fetch > 0"
)
CROWDED = f"""
CREATE TEMP TABLE who AS SELECT gen_random_uuid() AS person, gen_random_uuid() AS talk, gen_random_uuid() AS call, n
  FROM generate_series(1, {CROWD}) n;
INSERT INTO nexara.people (business_id, id) SELECT :b, person FROM who;
INSERT INTO nexara.identifiers (business_id, person_id, kind, value)
  SELECT :b, person, 'phone', '+35387' || (1000000 + n) FROM who;
INSERT INTO nexara.contacts (business_id, person_id, name) SELECT :b, person, 'N' FROM who;
INSERT INTO nexara.conversations (business_id, id, person_id, channel, event_key)
  SELECT :b, talk, person, 'call', encode(sha256(talk::text::bytea), 'hex') FROM who;
INSERT INTO nexara.participants (business_id, conversation_id, person_id, role)
  SELECT :b, talk, person, 'caller' FROM who;
INSERT INTO nexara.calls (business_id, id, conversation_id, recorded, event_key)
  SELECT :b, call, talk, true, encode(sha256(call::text::bytea), 'hex') FROM who;
INSERT INTO nexara.call_legs (business_id, call_id) SELECT :b, call FROM who;
INSERT INTO nexara.messages (business_id, conversation_id, author_id, direction, body, event_key)
  SELECT :b, talk, person, 'inbound', 'Ring 087 ' || (1000000 + n) || ' or ' || s,
    encode(sha256((talk::text || s)::bytea), 'hex')
  FROM who, generate_series(1, 5) s;
INSERT INTO nexara.leads (business_id, person_id, conversation_id, intent, urgency)
  SELECT :b, person, talk, 'other', 'low' FROM who;
INSERT INTO nexara.bookings (business_id, guest_id, starts_at, ends_at, state)
  SELECT :b, person, now(), now(), 'requested' FROM who;
"""


@pytest.fixture
def crowd(world: World) -> World:
    with world.admin.begin() as db:
        db.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in CROWDED.split(";\n"):
            if statement.strip():
                db.execute(text(statement), {"b": world.mine})
    # The database has not looked at them yet: that is when it plans worst.
    return world


def read_by(world: World, erasure: UUID) -> tuple[dict[str, int], dict[str, int], int]:
    """Erase, and return what was read of each table, what of it row after row, and how many rows went."""
    with world.job(keep=False) as db:
        done = erase(db, db.get_one(Erasure, erasure))
        redact(db, db.get_one(Erasure, erasure))
        db.execute(text("RESET ROLE"))
        found = db.execute(READ).all()
    assert not done.more
    whole = {name for name, table in whole_tables(world).items() if table}
    return {n: r for n, r, _ in found}, {n: s for n, _, s in found if s and n in whole}, sum(done.rows.values())


def whole_tables(world: World) -> dict[str, bool]:
    found = (
        "SELECT relname, reltuples >= 1000 OR pg_relation_size(oid) > 65536 FROM pg_class "
        "WHERE relnamespace = 'nexara'::regnamespace"
    )
    with world.admin.connect() as db:
        return dict(db.execute(text(found)).all())


@pytest.mark.parametrize("scope", [Scope.PERSON, Scope.COMMUNICATIONS])
@pytest.mark.parametrize("analyzed", [False, True])
def test_one_person_among_many_is_erased_by_reading_theirs(crowd, scope, analyzed):
    anna = crowd.person()
    if analyzed:
        with crowd.admin.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.execute(text("ANALYZE"))
    read, whole, went = read_by(crowd, crowd.confirmed(scope, anna["people"]["id"]))
    assert whole == {}
    assert went >= 10
    if analyzed:  # before, a table that two indexes begin to fit may be read by the wrong one
        assert {name: count for name, count in read.items() if count > 100} == {}


def test_a_member_is_erased_by_reading_theirs(crowd):
    read, whole, _ = read_by(crowd, crowd.confirmed(Scope.MEMBER, crowd.base[crowd.mine]["members"]["id"]))
    assert whole == {}
    assert sum(read.values()) < 1000, read


def test_ten_thousand_rows_of_one_person_go_in_batches_and_in_seconds(crowd, record_property):
    person, talk = uuid4(), uuid4()
    crowd.put("people", id=person)
    crowd.put("conversations", id=talk, person_id=person)
    with crowd.admin.begin() as db:
        db.execute(text("SET LOCAL session_replication_role = replica"))
        db.execute(
            text(
                "INSERT INTO nexara.messages (business_id, conversation_id, author_id, direction, body, event_key) "
                "SELECT :b, :t, CASE WHEN n % 2 = 0 THEN CAST(:p AS uuid) END, 'inbound', 'text', "
                "encode(sha256(('x' || n)::bytea), 'hex') FROM generate_series(1, 10000) n"
            ),
            {"b": crowd.mine, "t": talk, "p": person},
        )
    erasure = crowd.confirmed(Scope.PERSON, person)
    began, more, longest, calls = time.perf_counter(), True, 0.0, 0
    while more:
        start = time.perf_counter()
        more = crowd.batch(erasure, 500).more
        longest, calls = max(longest, time.perf_counter() - start), calls + 1
    took = time.perf_counter() - began
    record_property("report", f"10,002 rows in {calls} batches: {took:.2f} s, the longest {1000 * longest:.0f} ms")
    assert crowd.one("people", person) is None
    assert crowd.one("conversations", talk) is None
    assert 20 <= calls < 30
    assert took < 30
