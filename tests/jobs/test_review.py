"""The one mail of a conversation tells of all that was found, however late that came."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from jobs.billing.payloads import ReconcileBilling
from jobs.conversations.payloads import RecoverConversations
from jobs.usage.payloads import MeterConversation
from ledger.operate import discard
from models.calls import CallLeg
from models.conversations import Channel
from models.recordings import Recording, RecordingState
from tests.jobs.shop import LASTED, MONDAY
from tests.jobs.spoken import BOOKING

WHOLE = {"transcripts": 1, "summaries": 1, "leads": 1, "meter": 1, "emails_sent": 1}
NOTHING = dict.fromkeys(WHOLE, 0)


def recover(house, after):
    house.house_enqueue(RecoverConversations(as_of=MONDAY + LASTED + after))
    house.drain()


def change(house, shop, statement, **values):
    with house.acting_for(shop.business) as db:
        db.execute(text(statement), values)


def awaits_another(shop, told):
    """Write a second leg whose recording has not come."""
    with shop.house.acting_for(shop.business) as db:
        leg = CallLeg(business_id=shop.business, id=uuid4(), call_id=told.call, started_at=MONDAY)
        db.add(leg)
        db.flush()
        db.add(Recording(business_id=shop.business, id=uuid4(), leg_id=leg.id, state=RecordingState.PENDING))


def parked_and_billed(house, shop):
    shop.booking()
    house.asking(deepgram_api_key="wrong")
    house.drain()
    assert house.job("recordings.transcribe").state == "parked"
    house.house_enqueue(ReconcileBilling(as_of=MONDAY + timedelta(days=2)))
    house.drain()
    assert house.counts() == NOTHING | {"meter": 1}, "billed, and the one mail not spent on nothing"
    assert house.wires.inbox() == []
    house.asking()


def test_a_parked_call_is_told_of_once_it_was_heard(house, shop):
    parked_and_billed(house, shop)
    house.retry(house.job("recordings.transcribe").id)
    house.drain()
    assert house.counts() == WHOLE
    assert len(house.wires.inbox()) == 1


def test_a_parked_call_that_on_call_gives_up_is_told_of_as_it_is(house, shop):
    parked_and_billed(house, shop)
    with house.on_call.begin() as db:
        discard(db, house.job("recordings.transcribe").id)
    for _ in range(2):
        house.house_enqueue(RecoverConversations(as_of=datetime.now(UTC)))
        house.sql("UPDATE nexara.conversations SET ended_at = now() - interval '3 days'")
        house.drain()
        assert house.counts() == NOTHING | {"meter": 1, "emails_sent": 1}
    assert len(house.wires.inbox()) == 1


def test_a_recording_that_comes_late_is_waited_for(house, shop):
    now = datetime.now(UTC)
    told = shop.call(BOOKING.audio, state=RecordingState.PENDING, ended_at=now - timedelta(hours=2))
    house.house_enqueue(RecoverConversations(as_of=now))
    house.enqueue(MeterConversation(conversation_id=told.conversation), shop.business)
    house.drain()
    assert house.counts() == NOTHING | {"meter": 1}
    change(house, shop, "UPDATE live.recordings SET state = 'stored', object = :key", key=told.objects[0])
    house.drain()
    assert house.counts() == WHOLE
    assert len(house.wires.inbox()) == 1


def test_a_recording_that_never_comes_is_waited_for_a_day(house, shop):
    shop.call(BOOKING.audio, state=RecordingState.PENDING)
    recover(house, timedelta(hours=23))
    assert house.counts() == NOTHING
    recover(house, timedelta(hours=25))
    assert house.counts() == NOTHING | {"meter": 1, "emails_sent": 1}


def test_a_heard_call_does_not_lose_its_lead_to_a_recording_that_never_comes(house, shop):
    awaits_another(shop, shop.booking())
    house.drain()
    recover(house, timedelta(minutes=20))
    assert house.counts() == NOTHING | {"transcripts": 1}
    recover(house, timedelta(hours=25))
    assert house.counts() == WHOLE


@pytest.mark.parametrize("state", ["unusable", "deleted"])
def test_a_heard_call_goes_on_when_its_other_recording_will_not_come(house, shop, state):
    awaits_another(shop, shop.booking())
    house.drain()
    change(house, shop, "UPDATE live.recordings SET state = :state WHERE state = 'pending'", state=state)
    house.drain()
    assert house.counts() == WHOLE


def test_a_call_whose_only_recording_will_not_come_is_billed_and_told_of(house, shop):
    told = shop.call(BOOKING.audio, state=RecordingState.PENDING)
    awaits_another(shop, told)
    for left in (1, 0):
        one = "SELECT id FROM live.recordings WHERE state = 'pending' LIMIT 1"
        change(house, shop, f"UPDATE live.recordings SET state = 'unusable' WHERE id = ({one})")
        house.drain()
        assert house.counts()["meter"] == 1 - left
    assert house.counts() == NOTHING | {"meter": 1, "emails_sent": 1}


def test_a_thread_of_twelve_thousand_messages_is_metered(house, shop):
    told = shop.chat(Channel.WHATSAPP, [("inbound", "Hello")], ended_at=None)
    house.sql(
        "INSERT INTO nexara.messages (business_id, conversation_id, direction, body, event_key) "
        "SELECT :b, :c, 'outbound', 'x', encode(sha256(g::text::bytea), 'hex') FROM generate_series(1, 12000) g",
        b=shop.business,
        c=told.conversation,
    )
    house.sql("UPDATE nexara.conversations SET ended_at = now()")
    house.sql("DELETE FROM ledger.jobs")
    house.enqueue(MeterConversation(conversation_id=told.conversation), shop.business)
    assert [ended.state for ended in house.step()] == ["succeeded"]
    assert house.counts()["meter"] == 12001
