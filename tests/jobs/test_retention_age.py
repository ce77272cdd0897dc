"""Rows end by what the business set and by their country's period; what was made from them is cleared."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from jobs.retention.payloads import ExpireRows
from lifecycle.scrub import ERASED
from models.leads import Intent, Lead, Summary, Urgency
from models.recordings import Transcript
from tests.jobs.shop import LASTED, MONDAY, digest

LATER = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)


def keeps(house, shop, **settings):
    """Let a business say for how long it keeps things."""
    for column, days in settings.items():
        house.sql(
            f"UPDATE nexara.businesses SET {column} = :period WHERE id = :b",
            period=timedelta(days=days),
            b=shop.business,
        )


def expire(house, shop, as_of=LATER):
    house.sql("UPDATE ledger.jobs SET state = 'cancelled', finished_at = now() WHERE state <> 'cancelled'")
    house.enqueue(ExpireRows(business_id=shop.business, as_of=as_of), shop.business)
    assert {ended.state for ended in house.drain()} <= {"succeeded", "available"}


def count(house, table):
    return house.sql(f"SELECT count(*) FROM nexara.{table}")


@pytest.fixture
def told(shop, house):
    """A recorded call of June with a transcript, a summary and a lead that quotes the caller."""
    call = shop.call(b"RIFF")
    house.sql("UPDATE nexara.recordings SET created_at = :at", at=MONDAY)
    with house.admin.begin() as db:
        plain = {"business_id": shop.business}
        db.execute(
            Transcript.__table__.insert().values(
                **plain, recording_id=call.recordings[0], body="My boiler leaks", segments=[], seconds=75
            )
        )
        db.execute(
            Summary.__table__.insert().values(
                **plain,
                conversation_id=call.conversation,
                body="A leak, call +44 7700 900123",
                derived_from=[],
                model="m",
                input_tokens=1,
                output_tokens=1,
            )
        )
        db.execute(
            Lead.__table__.insert().values(
                **plain,
                person_id=call.person,
                conversation_id=call.conversation,
                intent=Intent.BOOKING,
                urgency=Urgency.HIGH,
                verbatim="it leaks",
            )
        )
    return call


def test_nothing_ends_by_age_unless_the_business_said_so(house, shop, told):
    expire(house, shop)
    assert (count(house, "conversations"), count(house, "recordings"), count(house, "summaries")) == (1, 1, 1)


def test_a_recording_goes_when_the_business_said_so_and_what_was_made_from_it_is_cleared(house, shop, told):
    keeps(house, shop, keep_recordings=30)
    expire(house, shop)
    assert (count(house, "recordings"), count(house, "transcripts")) == (0, 0)
    assert (count(house, "conversations"), count(house, "calls"), count(house, "call_legs")) == (1, 1, 1)
    assert house.rows("SELECT body FROM nexara.summaries") == [(ERASED,)]
    assert house.rows("SELECT verbatim, intent FROM nexara.leads") == [(ERASED, "booking")]
    assert count(house, "mentions") == 0  # the number in the summary is looked for no more
    assert house.rows("SELECT store, what, ref FROM nexara.remains") == [("objects", "recording", told.objects[0])]


def test_what_was_made_from_another_call_stays(house, shop, told):
    keeps(house, shop, keep_recordings=30)
    house.sql("UPDATE nexara.recordings SET created_at = :at", at=LATER - timedelta(days=1))
    expire(house, shop)
    assert house.rows("SELECT verbatim FROM nexara.leads") == [("it leaks",)]


def test_a_conversation_goes_with_its_parts_and_its_lead_forgets_it(house, shop, told):
    keeps(house, shop, keep_conversations=30)
    expire(house, shop)
    for table in ("conversations", "participants", "calls", "call_legs", "recordings", "transcripts", "summaries"):
        assert count(house, table) == 0, table
    assert house.rows("SELECT conversation_id, verbatim, intent FROM nexara.leads") == [(None, ERASED, "booking")]
    assert (count(house, "people"), count(house, "identifiers")) == (1, 1)


def test_a_conversation_is_kept_to_the_last_minute_of_its_period(house, shop, told):
    keeps(house, shop, keep_conversations=30)
    over = MONDAY + timedelta(days=30)
    expire(house, shop, over)
    assert count(house, "conversations") == 1
    expire(house, shop, over + timedelta(seconds=1))
    assert count(house, "conversations") == 0


def test_a_period_of_less_than_a_day_is_refused(house, shop):
    for days in (0, 0.5, -3, 40_000):
        with pytest.raises(IntegrityError, match="keep_conversations"):
            keeps(house, shop, keep_conversations=days)


def test_very_many_rows_of_one_moment_go_with_the_others_and_younger_ones_stay(house, shop):
    made = """
        INSERT INTO nexara.product_events (business_id, member_id, name, props, at)
        SELECT m.business_id, m.id, 'page_opened', '{"page": "calls"}', n.at
        FROM (SELECT * FROM nexara.members WHERE business_id = :b LIMIT 1) m, (
          SELECT CAST(:old AS timestamptz) FROM generate_series(1, 1500)
          UNION ALL SELECT CAST(:old AS timestamptz) + n * interval '1 min' FROM generate_series(1, 1500) n
          UNION ALL SELECT CAST(:young AS timestamptz) FROM generate_series(1, 3)) n (at)"""
    house.sql(made, b=shop.business, old=LATER - timedelta(days=800), young=LATER - timedelta(days=30))
    expire(house, shop)
    assert count(house, "product_events") == 3


def meter(house, shop, at, *, correction_of=None):
    return house.sql(
        "INSERT INTO nexara.meter (business_id, event_key, source, unit, quantity, at, correction_of)"
        " VALUES (:b, :key, 'call', 'call_second', :quantity, :at, :of) RETURNING id",
        b=shop.business,
        key=digest(uuid4()),
        quantity=-10 if correction_of else 75,
        at=at,
        of=correction_of,
    )


def test_a_kept_row_says_until_when_and_goes_once_that_day_has_passed(house, shop):
    meter(house, shop, MONDAY)
    assert house.rows("SELECT keep_until::text FROM nexara.meter") == [("2033-01-01",)]  # Britain: six years from 2027
    # The clock does not run ahead for a job: let the row be old instead.
    house.sql("UPDATE nexara.meter SET at = '2019-06-01T09:00Z'")
    assert house.rows("SELECT keep_until::text FROM nexara.meter") == [("2026-01-01",)]
    expire(house, shop, datetime(2026, 1, 1, 23, 59, tzinfo=UTC))  # still the last day, somewhere on earth
    assert count(house, "meter") == 1
    expire(house, shop, datetime(2026, 1, 2, 2, 30, tzinfo=UTC))
    assert count(house, "meter") == 0


def test_nobody_writes_another_day_on_a_kept_row(house, shop):
    meter(house, shop, MONDAY)
    house.sql("UPDATE nexara.meter SET keep_until = '2026-01-01'")
    assert house.rows("SELECT keep_until::text FROM nexara.meter") == [("2033-01-01",)]


def test_a_row_that_the_law_has_come_to_want_for_longer_stays_and_gets_its_new_day(house, shop):
    meter(house, shop, datetime(2019, 6, 1, tzinfo=UTC))
    house.sql("UPDATE nexara.keep_periods SET years = 8 WHERE country = 'GB'")
    expire(house, shop)
    assert house.rows("SELECT keep_until::text FROM nexara.meter") == [("2028-01-01",)]


def test_a_metered_fact_waits_for_its_correction(house, shop):
    """A call of December was corrected in January: the correction is kept a year longer, and so is what it corrects."""
    december = meter(house, shop, datetime(2019, 12, 20, tzinfo=UTC))
    meter(house, shop, datetime(2020, 1, 10, tzinfo=UTC), correction_of=december)
    meter(house, shop, datetime(2019, 12, 21, tzinfo=UTC))
    expire(house, shop)
    assert house.rows("SELECT quantity FROM nexara.meter ORDER BY at") == [(75,), (-10,)]
    house.sql("UPDATE nexara.meter SET at = '2019-12-31T12:00Z' WHERE correction_of IS NOT NULL")
    expire(house, shop)
    assert count(house, "meter") == 0


def test_an_erased_business_s_own_row_goes_with_the_last_kept_one(house, new_shop):
    shop = new_shop()
    house.sql("UPDATE nexara.businesses SET ended_at = '2019-03-01T00:00Z'")
    house.sql("DELETE FROM nexara.salts")  # as its erasure did
    assert house.rows("SELECT keep_until::text FROM nexara.businesses") == [("2026-01-01",)]
    kept = meter(house, shop, datetime(2020, 1, 1, tzinfo=UTC))
    expire(house, shop)
    assert count(house, "businesses") == 1
    house.sql("DELETE FROM nexara.meter WHERE id = :id", id=kept)
    expire(house, shop)
    assert count(house, "businesses") == 0


def asked(house):
    """Return what the function asks, as a query that the planner explains."""
    source = house.sql("SELECT prosrc FROM pg_proc WHERE oid = 'nexara.expired_v1(timestamptz)'::regprocedure")
    return source.replace("p_as_of", f"'{LATER}'::timestamptz").replace(
        "(SELECT nexara.scope())", f"'{UUID(int=0)}'::uuid"
    )


def test_whose_rows_are_over_is_found_by_indexes_alone(house):
    """The plan reads of each table what its index says is oldest, and no table as a whole."""
    with house.admin.begin() as db:
        db.execute(text("SET LOCAL enable_seqscan = off"))
        plan = [line for (line,) in db.execute(text(f"EXPLAIN {asked(house)}"))]
    read = [line for line in plan if "Scan" in line and " on businesses" not in line]
    assert len(read) >= 10
    assert [line for line in read if "Index" not in line] == [], "\n".join(plan)


def test_more_rows_do_not_make_the_question_slower(house, new_shop):
    """A million is the bench's; here thirty thousand young rows beside one old one cost no more buffers than three."""
    shop = new_shop()

    def buffers():
        with house.admin.begin() as db:
            db.execute(text("SET LOCAL enable_seqscan = off"))
            for _ in range(2):  # the first reads the catalog
                plan = db.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {asked(house)}")).scalar_one()
        return plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"]

    insert = (
        "INSERT INTO nexara.meter (business_id, event_key, source, unit, quantity, at)"
        " SELECT :b, encode(sha256(i::text::bytea), 'hex'), 'call', 'call_second', 1, :at"
        " FROM generate_series(CAST(:low AS integer), :high) i"
    )
    house.sql(insert, b=shop.business, at=MONDAY + LASTED, low=1, high=3)
    few = buffers()
    house.sql(insert, b=shop.business, at=MONDAY + LASTED, low=4, high=30_000)
    house.sql("ANALYZE nexara.meter")
    assert buffers() <= few + 20
