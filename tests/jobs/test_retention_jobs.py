"""The nightly sweep, over every table of the map: what has reached its end goes, and nothing else, of nobody else."""

from datetime import UTC, datetime, timedelta
from itertools import chain
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, text

from jobs.retention.payloads import ExpireRows, SweepRetention
from lifecycle.ends import Ending, endings
from models.audit import Audit
from models.data_map import CountryPeriod, Expires
from models.entries import table_of
from models.keys import IdempotencyKey
from models.ledger import Attempt, Job, KeptAnswer, Tick, Worker
from models.operations import Operation
from models.operators import Operator, Session, SignInTry
from models.pauses import Pause
from tests.rows import plant, values

TONIGHT = datetime(2026, 9, 1, 2, 30, tzinfo=UTC)
MOMENT = timedelta(minutes=1)
LEDGER_ROWS = """
WITH job AS (
  INSERT INTO ledger.jobs (id, kind, queue, priority, business_id, root_id, payload, state, max_attempts, give_up_at,
                           finished_at)
  SELECT nextval('ledger.jobs_id_seq'), 'usage.meter', 'usage', 1, :b, 1,
         jsonb_build_object('conversation_id', CAST(:conversation AS text)), 'dead', 1, now(), :jobs
  RETURNING id
), attempt AS (
  INSERT INTO ledger.attempts (job_id, business_id, kind, attempt, outcome, ended_at)
  SELECT id, :b, 'usage.meter', 1, 'gave_up', :attempts FROM job
), kept AS (
  INSERT INTO ledger.kept_answers (job_id, input_hash, answer, kept_at) SELECT id, 'a', '{}', :kept_answers FROM job
), once AS (
  INSERT INTO ledger.idempotency_keys (business_id, digest, request, created_at)
  VALUES (:b, sha256(convert_to(:tick, 'UTF8')), sha256(''), :idempotency_keys)
), pause AS (
  INSERT INTO ledger.pauses (queue, who, why, ended_at, settled) VALUES ('usage', 'ada', 'x', :pauses, true)
), operation AS (
  INSERT INTO ledger.operations (action, filter, asked_in, total, spread, state, finished_at)
  VALUES ('retry', '{}', 1, 1, '0', 'done', :operations)
), noted AS (
  INSERT INTO ledger.audit (who, role, action, at) VALUES ('jo', 'operator', 'jobs.retry', :audit)
), tried AS (
  INSERT INTO ledger.sign_in_tries (key, since)
  VALUES (encode(sha256(convert_to(:tick, 'UTF8')), 'hex'), :sign_in_tries)
), operator AS (
  INSERT INTO ledger.operators (name, role, disabled_at) VALUES (:tick, 'viewer', :operators) RETURNING id
), session AS (
  INSERT INTO ledger.sessions (digest, operator_id, made_at)
  SELECT sha256(convert_to(:tick, 'UTF8')), id, :sessions FROM operator
), tick AS (
  INSERT INTO ledger.ticks (schedule, tick, due_at, outcome) VALUES ('x', :tick, :ticks, 'fired')
)
INSERT INTO ledger.workers (id, threads, kinds, heartbeat_at) VALUES (:worker, 1, '{}', :workers)
"""
OF_TENANTS = [each for each in endings() if each.of_tenants]
OF_THE_HOUSE = [each for each in endings() if not each.of_tenants]
GO_WITH = {
    "conversations": (
        *("participants", "messages", "message_media", "calls", "call_legs", "recordings", "transcripts", "summaries"),
    ),
    "erasures": ("erasure_scope", "reviews", "receipts"),
}
"""What ends with rows of a table and does not end by itself as well."""
SET = timedelta(days=400)
"""For how long a planted business keeps its conversations and recordings."""


def since(each: Ending, *, over: bool, now: datetime = TONIGHT) -> datetime:
    """Return when the time of a row began that is over by a minute, or goes on for one more; a country counts years."""
    if isinstance(each.ends, CountryPeriod):
        return now.replace(year=now.year - (7 if over else 6))  # the planted businesses are Irish
    after = each.ends.after if isinstance(each.ends, Expires) else SET
    return now - after + (-MOMENT if over else MOMENT)


@pytest.fixture
def town(house):
    """Two businesses with a row in every table: of the first, all that can expire is a minute past its end."""
    old, young = uuid4(), uuid4()
    with house.admin.begin() as db:
        # What the facts enqueue is another test's business.
        db.execute(text("SET LOCAL session_replication_role = replica"))
        for business in (old, young):
            plant(db, business)
        db.execute(text("SET LOCAL session_replication_role = origin"))
        for each in OF_TENANTS:
            for business, over in ((old, True), (young, False)):
                change = f"UPDATE {each.table} SET {each.ends.since} = :at WHERE business_id = :business"
                db.execute(text(change), {"at": since(each, over=over), "business": business})
        for each in OF_THE_HOUSE:
            for at in (since(each, over=True), since(each, over=False), None):
                if at is None and not each.table.columns[each.column].nullable:
                    continue
                row = values(each.table, {})
                if "business_id" in each.table.columns:
                    row["business_id"] = old
                db.execute(insert(each.table).values(row | {each.column: at}))
    return old, young


def rows_by_table(house):
    """Count the rows of every table of ours, by business where they have one."""
    tables = house.rows(
        "SELECT relname AS name FROM pg_class WHERE relnamespace = 'nexara'::regnamespace AND relkind = 'r'"
    )
    told = {}
    for table in tables:
        of = "to_jsonb(t) ->> 'business_id'"
        for business, count in house.rows(f"SELECT {of}, count(*) FROM nexara.{table.name} t GROUP BY 1"):
            told[table.name, business] = count
    return told


def test_what_has_reached_its_end_goes_and_nothing_else(house, town):
    old, young = town
    before = rows_by_table(house)
    house.house_enqueue(SweepRetention(as_of=TONIGHT))
    ended = house.drain()
    assert {each.state for each in ended} <= {"succeeded", "available"}, ended
    left = house.rows(
        "SELECT DISTINCT business_id, state FROM nexara.remains WHERE made_at > now() - interval '1 hour'"
    )
    assert left == [(old, "planned")]  # what goes leaves its copies to be followed up
    house.sql("DELETE FROM nexara.remains WHERE state = 'planned' AND made_at > now() - interval '1 hour'")
    after = rows_by_table(house)
    gone = {key: count - after.get(key, 0) for key, count in before.items() if after.get(key, 0) != count}
    expected = {(each.table.name, str(old)): 1 for each in OF_TENANTS}
    expected |= {(table, str(old)): 1 for table in chain.from_iterable(GO_WITH.values())}
    for each in OF_THE_HOUSE:
        business = str(old) if "business_id" in each.table.columns else None
        expected[each.table.name, business] = 1
    assert gone == expected
    assert {each.table.name for each in OF_TENANTS} >= {"conversations", "recordings", "meter", "subscriptions"}
    assert {job.business_id for job in house.jobs("retention.expire")} == {old}
    assert young not in {job.business_id for job in house.jobs()}
    house.house_enqueue(SweepRetention(as_of=TONIGHT + MOMENT))
    house.drain()
    assert rows_by_table(house) == after


def test_what_ends_with_an_expired_row_goes_with_it(house, town):
    """A visitor is forgotten after 90 days, and so is what they did, though events are kept for longer."""
    old, _ = town
    house.sql("UPDATE nexara.product_events SET at = :at", at=TONIGHT)
    assert (
        house.sql("SELECT count(*) FROM nexara.product_events WHERE business_id = :b AND visitor_id IS NOT NULL", b=old)
        == 1
    )
    house.house_enqueue(SweepRetention(as_of=TONIGHT))
    house.drain()
    assert {job.state for job in house.jobs()} == {"succeeded"}
    for table in ("visitors", "product_events"):
        assert house.sql(f"SELECT count(*) FROM nexara.{table} WHERE business_id = :b", b=old) == 0, table
        assert house.sql(f"SELECT count(*) FROM nexara.{table}") == 1, table


def test_more_than_a_batch_goes_batch_by_batch(house, town):
    old, _ = town
    house.sql(
        "INSERT INTO nexara.product_events (business_id, visitor_id, name, props, at) "
        "SELECT :b, v.id, 'x', '{}', :at FROM nexara.visitors v, generate_series(1, 20000) WHERE v.business_id = :b",
        b=old,
        at=TONIGHT,
    )
    house.house_enqueue(SweepRetention(as_of=TONIGHT))
    states = [each.state for each in house.drain() if each.kind == "retention.expire"]
    assert states[0] == "available"
    assert states[-1] == "succeeded"
    assert house.sql("SELECT count(*) FROM nexara.product_events WHERE business_id = :b", b=old) == 0
    assert house.sql("SELECT count(*) FROM nexara.visitors WHERE business_id = :b", b=old) == 0


def test_a_day_ahead_ends_nothing_early(house, town):
    old, _ = town
    for each in endings():
        column = each.ends.since
        house.sql(f"UPDATE {each.table} SET {column} = now() - interval '1 day'")
    before = rows_by_table(house)
    ahead = datetime(2999, 1, 1, tzinfo=UTC)
    house.house_enqueue(SweepRetention(as_of=ahead))
    house.enqueue(ExpireRows(business_id=old, as_of=ahead), old)
    house.drain()
    assert {job.state for job in house.jobs()} == {"succeeded"}
    assert rows_by_table(house) == before


def test_a_business_s_job_ends_its_own_rows_whatever_its_payload_says(house, town):
    old, young = town
    for each in OF_TENANTS:
        house.sql(f"UPDATE {each.table} SET {each.ends.since} = :at", at=since(each, over=True))
    house.enqueue(ExpireRows(business_id=young, as_of=TONIGHT), old)
    house.drain()
    for each in OF_TENANTS:
        left = house.rows(f"SELECT business_id FROM {each.table} WHERE {each.ends.since} IS NOT NULL")
        assert left == [(young,)], each.table.name


def test_the_ledger_s_own_rows_end_too(house):
    lives = {
        table_of(row).name: (row.__life__.ends.after, row.__life__.ends.since)
        for row in (
            Job,
            Attempt,
            KeptAnswer,
            IdempotencyKey,
            Operation,
            Pause,
            Tick,
            Worker,
            Audit,
            SignInTry,
            Operator,
            Session,
        )
    }
    for past in (-MOMENT, MOMENT):
        at = {name: TONIGHT - after - past for name, (after, _) in lives.items()}
        house.sql(LEDGER_ROWS, b=UUID(int=1), conversation=str(uuid4()), worker=uuid4(), tick=str(past), **at)
    house.house_enqueue(SweepRetention(as_of=TONIGHT))
    house.drain()
    for name, (after, since) in lives.items():
        kept = house.rows(f"SELECT {since} AS at FROM ledger.{name} WHERE {since} < :tonight", tonight=TONIGHT)
        assert [TONIGHT - row.at for row in kept] == [after - MOMENT], name
