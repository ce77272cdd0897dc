"""What goes on while somebody is erased: nothing that is to be billed is lost, and no job that names them is left."""

import pytest

from jobs.conversations.payloads import SummarizeConversation
from jobs.privacy import fence
from models.conversations import Channel
from tests.jobs.spoken import BOOKING
from tests.jobs.test_erasures import erase, go_on, state

USED = "SELECT unit, sum(quantity)::int AS used, count(*) AS rows FROM nexara.meter GROUP BY unit ORDER BY unit"
CHAT = (("inbound", "Hello"), ("outbound", "Good morning"), ("inbound", "Do you mend boilers?"))
NAMING = "SELECT count(*) FROM ledger.jobs WHERE jobs::text LIKE '%' || :id || '%'"


def put_off(house, kind):
    """Let the open jobs of a kind wait."""
    house.sql(
        "UPDATE ledger.jobs SET state = 'scheduled', run_at = now() + interval '1 day'"
        " WHERE kind = :kind AND finished_at IS NULL",
        kind=kind,
    )


@pytest.mark.parametrize("ended", [True, False])
def test_what_nobody_had_metered_yet_is_metered_before_it_goes(house, shop, remaining, ended):
    call = shop.call(BOOKING.audio, seconds=75, number="+447700900456")
    chat = shop.chat(Channel.SMS, CHAT, **({} if ended else {"ended_at": None}))
    for kind in ("recordings.transcribe", "conversations.summarize", "usage.meter"):
        put_off(house, kind)
    assert house.rows(USED) == []
    for person in (call.person, chat.person):
        assert go_on(house, remaining, erase(house, shop.business, "person", person)) == "completed"
    assert house.sql("SELECT count(*) FROM nexara.conversations") == 0
    assert house.rows(USED) == [("call_second", 75, 1), ("message", 3, 3)]


def test_what_was_metered_before_is_metered_once(house, shop, remaining):
    call = shop.call(BOOKING.audio, seconds=75)
    house.drain()
    assert house.rows(USED) == [("call_second", 75, 1)]
    go_on(house, remaining, erase(house, shop.business, "person", call.person))
    assert house.rows(USED) == [("call_second", 75, 1)]


def test_messages_that_go_out_of_a_thread_that_others_share_are_metered(house, shop, remaining):
    one, other = shop.chat(Channel.SMS, CHAT, ended_at=None), shop.chat(Channel.WEB_CHAT, CHAT[:1], ended_at=None)
    house.sql(
        "UPDATE nexara.messages SET conversation_id = :other WHERE conversation_id = :one",
        one=one.conversation,
        other=other.conversation,
    )
    go_on(house, remaining, erase(house, shop.business, "person", one.person))
    left = house.sql("SELECT count(*) FROM nexara.messages")
    assert 0 < left < 4
    assert house.rows(USED) == [("message", 4 - left, 4 - left)], "what went; the others are metered with their thread"
    house.sql("UPDATE nexara.conversations SET ended_at = now()")
    house.drain()
    assert house.rows(USED) == [("message", 4, 4)]


def test_a_job_that_somebody_enqueues_while_the_rows_go_is_ended_when_they_have_gone(house, shop, remaining):
    call = shop.call(BOOKING.audio)
    house.drain()
    erasure = erase(house, shop.business, "person", call.person)
    while state(house, erasure) != "erasing":
        house.step()
    house.step()
    (stage,) = house.rows("SELECT cursor ->> 'stage' AS now FROM ledger.jobs WHERE kind = 'privacy.erase'")
    assert stage.now == "rows"
    house.sql("DELETE FROM nexara.summaries")
    house.enqueue(SummarizeConversation(conversation_id=call.conversation), shop.business)
    put_off(house, "conversations.summarize")
    assert house.sql(NAMING, id=str(call.conversation)) == 1
    assert go_on(house, remaining, erasure) == "completed"
    assert house.sql(NAMING, id=str(call.conversation)) == 0
    ended = house.jobs("conversations.summarize")[-1]
    assert (ended.state, ended.reason) == ("cancelled", "erased")


def test_a_job_of_a_call_whose_recording_goes_stays_and_what_a_vendor_answered_it_goes(house, shop, remaining):
    call = shop.call(BOOKING.audio)
    house.step()
    put_off(house, "conversations.summarize")
    job = house.job("conversations.summarize")
    house.sql("INSERT INTO ledger.kept_answers (job_id, input_hash, answer) VALUES (:id, 'x', '{\"a\": 1}')", id=job.id)
    erasure = erase(house, shop.business, "recording", call.recordings[0])
    assert go_on(house, remaining, erasure) == "completed"
    assert house.sql("SELECT count(*) FROM ledger.kept_answers WHERE job_id = :id", id=job.id) == 0
    assert house.job("conversations.summarize").state != "cancelled"
    house.drain_all()
    assert house.sql("SELECT count(*) FROM nexara.summaries") == 0
    assert house.rows(USED) == [("call_second", 75, 1)]


def test_the_tables_that_jobs_name_are_read_off_the_payloads(house):
    assert fence.nameable() >= {"recordings", "conversations", "members"}
    assert not fence.nameable() & {"businesses", "messages", "transcripts"}
