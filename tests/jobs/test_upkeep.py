"""What the timetable starts, to its real effect: nothing unbilled or forgotten; and no tenant asks as the house."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jobs.billing.payloads import ReconcileBilling
from jobs.conversations.payloads import RecoverConversations
from jobs.usage.payloads import MeterConversation
from ledger.start import BEGIN_LOAD, START, of_job
from ledger.watch import rescue
from models.conversations import Channel
from tests.jobs.shop import LASTED, MONDAY

TWO_DAYS_LATER = MONDAY + timedelta(days=2)
NOON = MONDAY.replace(hour=12)
CHAT = (("inbound", "Hello, do you repair boilers?"), ("outbound", "Yes, we do."))
WHOLE = {"transcripts": 1, "summaries": 1, "leads": 1, "meter": 1, "emails_sent": 1}


def forget(house):
    """Lose every job, as a web tier does that was never told to enqueue one."""
    house.sql("DELETE FROM ledger.jobs")


def ended(house, told, moment):
    house.sql("UPDATE nexara.conversations SET ended_at = :at WHERE id = :id", at=moment, id=told.conversation)


def metered_conversations(house):
    return {
        row.id
        for row in house.rows("SELECT c.conversation_id AS id FROM nexara.calls c JOIN nexara.meter USING (event_key)")
    }


def bulk(house, shop, many, *, job: bool):
    """Write many ended calls that nobody metered, by the superuser at once; each with a parked job, if asked for."""
    house.sql(
        """
        WITH told AS (
          SELECT gen_random_uuid() AS id, gen_random_uuid() AS person, n FROM generate_series(1, :many) n
        ), p AS (
          INSERT INTO nexara.people (business_id, id) SELECT :b, person FROM told
        ), c AS (
          INSERT INTO nexara.conversations (business_id, id, person_id, channel, started_at, ended_at, event_key)
          SELECT :b, id, person, 'call', :at, :at, encode(sha256(id::text::bytea), 'hex') FROM told
        ), k AS (
          INSERT INTO nexara.calls (business_id, conversation_id, recorded, event_key)
          SELECT :b, id, true, encode(sha256(('call' || id)::bytea), 'hex') FROM told
        )
        INSERT INTO ledger.jobs (id, kind, queue, priority, business_id, root_id, payload, unique_key, state,
                                 max_attempts, give_up_at)
        SELECT nextval('ledger.jobs_id_seq'), 'leads.extract', 'language', 2, :b, 1,
               jsonb_build_object('conversation_id', id),
               ledger.key_of(:b, jsonb_build_object('conversation_id', id), ARRAY['conversation_id']),
               'parked', 8, now()
        FROM told WHERE :job
        """,
        many=many,
        b=shop.business,
        at=MONDAY,
        job=job,
    )


def test_reconciliation_meters_what_ended_and_was_not_metered_each_once(house, shop, new_shop):
    missing, theirs = shop.call(recorded=True), new_shop().call(recorded=True)
    too_new, too_old = shop.call(recorded=True), shop.call(recorded=True)
    ended(house, too_new, TWO_DAYS_LATER - timedelta(hours=23))
    ended(house, too_old, TWO_DAYS_LATER - timedelta(days=41))
    chat = shop.chat(Channel.SMS, CHAT)
    going_on = shop.call(recorded=False, ended_at=None)
    forget(house)
    known = shop.call(recorded=False)
    house.drain()
    assert metered_conversations(house) == {known.conversation}
    for _ in range(2):
        house.house_enqueue(ReconcileBilling(as_of=TWO_DAYS_LATER))
        house.drain()
        assert metered_conversations(house) == {known.conversation, missing.conversation, theirs.conversation}
        assert house.sql("SELECT count(*) FROM nexara.meter WHERE unit = 'message'") == len(CHAT)
        assert house.sql("SELECT count(*) FROM nexara.meter") == 3 + len(CHAT)
    asked_about = {job.payload["conversation_id"] for job in house.jobs("usage.meter")}
    assert not asked_about & {str(each.conversation) for each in (too_new, too_old, going_on)}
    of_theirs = house.rows(
        "SELECT business_id FROM ledger.jobs WHERE payload @> :p", p=f'{{"conversation_id": "{theirs.conversation}"}}'
    )
    assert of_theirs == house.rows(
        "SELECT business_id FROM nexara.conversations WHERE id = :id", id=theirs.conversation
    )
    assert len(house.wires.inbox()) == 3, "each of them was told of once, where somebody wants to be told"
    assert chat.conversation


def test_a_transcript_that_has_not_come_for_a_day_does_not_hold_up_the_bill_but_the_one_mail(house, shop):
    shop.booking()
    house.asking(deepgram_api_key="")
    house.drain()
    house.house_enqueue(ReconcileBilling(as_of=TWO_DAYS_LATER))
    house.drain()
    assert house.counts() == dict.fromkeys(WHOLE, 0) | {"meter": 1}
    house.asking()
    house.retry(house.job("recordings.transcribe").id)
    house.drain()
    assert house.counts() == WHOLE
    assert len(house.wires.inbox()) == 1


def test_reconciliation_goes_on_from_batch_to_batch_and_misses_none_that_ended_at_one_moment(house, shop):
    bulk(house, shop, 1001, job=False)
    house.house_enqueue(ReconcileBilling(as_of=TWO_DAYS_LATER))
    (job,) = house.claimed()
    states = [house.runner.run(job).state]
    while again := [token for token in house.dispatched() if token[0] == job.id]:
        (job,) = house.claimed(again)
        states.append(house.runner.run(job).state)
    assert states == ["available", "available", "succeeded"]
    about = house.rows("SELECT payload ->> 'conversation_id' AS id FROM ledger.jobs WHERE kind = 'usage.meter'")
    assert len(about) == len({row.id for row in about}) == 1001


def test_recovery_takes_up_what_was_forgotten_and_leaves_what_is_on_its_way(house, shop):
    call, chat, unheard = shop.booking(), shop.chat(Channel.WHATSAPP, CHAT), shop.call(recorded=True)
    forget(house)
    waiting = shop.booking()
    late = shop.call(recorded=True)
    ended(house, late, NOON - timedelta(minutes=9))
    before = house.job("recordings.transcribe").id
    house.house_enqueue(RecoverConversations(as_of=NOON))
    house.step()
    assert sorted((job.kind, *job.payload.values()) for job in house.jobs() if job.state == "available") == sorted(
        [
            ("recordings.transcribe", str(call.recordings[0])),
            ("conversations.summarize", str(chat.conversation)),
            ("usage.meter", str(unheard.conversation)),
            ("conversations.summarize", str(waiting.conversation)),
        ]
    )
    house.drain()
    assert house.jobs("recordings.transcribe")[0].id == before
    assert metered_conversations(house) == {each.conversation for each in (call, unheard, waiting)}
    house.house_enqueue(RecoverConversations(as_of=NOON + timedelta(minutes=2)))
    house.drain()
    assert metered_conversations(house) == {each.conversation for each in (call, unheard, waiting, late)}
    assert len(house.wires.inbox()) == 5


def test_a_chain_that_died_with_its_workers_is_billed_and_told_of(house, shop):
    for steps in range(4):
        shop.booking()
        for _ in range(steps):
            house.step()
        for _ in range(3):
            (claimed,) = house.claimed()
            with house.worker.begin() as db:
                assert db.execute(text(of_job(START, claimed))).scalar() is not None
            with house.worker.begin() as db:
                assert [rescued.id for rescued in rescue(db, stale=timedelta(0))] == [claimed.id]
        poison = house.jobs()[-1]
        assert (poison.state, poison.reason) == ("dead", "poison")
        assert house.drain() == []
        house.house_enqueue(RecoverConversations(as_of=NOON))
        house.drain()
        assert (house.counts()["meter"], house.counts()["emails_sent"]) == (steps + 1, steps + 1)
        house.retry(poison.id)
        house.drain()
        assert house.counts() == {table: (steps + 1) * count for table, count in WHOLE.items()}
    assert len(house.wires.inbox()) == 4


def test_many_that_wait_for_a_setting_do_not_hide_one_that_was_forgotten(house, shop):
    bulk(house, shop, 501, job=True)
    told = shop.call(recorded=True, ended_at=MONDAY + LASTED)
    house.house_enqueue(RecoverConversations(as_of=NOON))
    house.drain()
    assert metered_conversations(house) == {told.conversation}


def test_a_tenant_s_job_asks_nothing_as_the_house(house, shop):
    shop.call(recorded=True, ended_at=MONDAY)
    house.sql("UPDATE ledger.jobs SET state = 'succeeded', finished_at = '2020-01-01'")
    told = shop.booking()
    house.enqueue(MeterConversation(conversation_id=told.conversation), shop.business)
    jobs = house.sql("SELECT count(*) FROM ledger.jobs")
    claimed = house.claimed()[-1]
    with house.worker.begin() as db:
        db.execute(text(of_job(START, claimed)))
    with house.worker.connect() as db:
        db.execute(text(of_job(BEGIN_LOAD, claimed)))
        assert db.execute(text("SELECT current_setting('role')")).scalar() == "tenant_job"
        for nothing in (
            "nexara.unmetered_v1('2000-01-01', '2100-01-01', NULL, 100)",
            "nexara.forgotten_v1('2000-01-01', '2100-01-01', 100)",
            "nexara.expired_v1('2100-01-01')",
        ):
            assert db.execute(text(f"SELECT count(*) FROM {nothing}")).scalar() == 0, nothing
        for refused in (
            "ledger.prune_v1('2100-01-01', 100)",
            "count(*) FROM nexara.meter",
            "count(*) FROM ledger.jobs",
            "count(*) FROM ledger.kept_answers",
        ):
            with pytest.raises(DBAPIError) as error, db.begin_nested():
                db.execute(text(f"SELECT {refused}"))
            assert error.value.orig.sqlstate == "42501", refused
        db.rollback()
    assert house.sql("SELECT count(*) FROM ledger.jobs") == jobs


def test_nobody_else_may_call_what_is_the_house_s(house):
    functions = ("unmetered_v1", "forgotten_v1", "still_to_come_v1", "chain_open", "expired_v1", "prune_v1")
    found = house.rows(
        "SELECT p.oid::regprocedure::text AS name, r.rolname FROM pg_proc p, pg_roles r "
        "WHERE p.proname = ANY(:functions) AND r.rolname IN ('nexara_web', 'nexara_worker', 'nexara_dashboard', "
        "'nexara_scribe', 'nexara_owner') AND has_function_privilege(r.oid, p.oid, 'EXECUTE')",
        functions=list(functions),
    )
    assert found == []
