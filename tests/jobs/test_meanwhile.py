"""What happens to a conversation while a vendor thinks about it: nothing is lost, and nothing gone comes back."""

from sqlalchemy import text

from jobs.alerts.payloads import Alert, SendAlert
from jobs.conversations.payloads import RecoverConversations, SummarizeConversation
from jobs.leads.payloads import ExtractLead
from jobs.recordings.payloads import TranscribeRecording
from models.conversations import Channel
from tests.jobs.conftest import OWNER
from tests.jobs.gate import meanwhile
from tests.jobs.shop import MONDAY
from tests.jobs.spoken import BOOKING, TRANSFERRED

CHAT = (("inbound", "Hello, do you repair boilers?"), ("outbound", "Yes, we do."))
LATE = "My name is Nora Finch, could you call me back?"


def change(house, shop, statement, **values):
    with house.acting_for(shop.business) as db:
        db.execute(text(statement), values)


def delete_the_recording(house, shop, told):
    change(house, shop, "UPDATE live.recordings SET state = 'deleted' WHERE id = :id", id=told.recordings[0])


def test_a_message_that_comes_while_the_summary_is_written_gets_into_the_next_one(house, shop):
    told = shop.chat(Channel.SMS, CHAT)
    ended = meanwhile(house, "anthropic", lambda: shop.writes(told, LATE))
    assert ended.state == "succeeded"
    messages = [row.id for row in house.rows("SELECT id::text FROM nexara.messages ORDER BY sent_at")]
    assert house.sql("SELECT derived_from FROM nexara.summaries") == messages[:2]
    house.enqueue(SummarizeConversation(conversation_id=told.conversation), shop.business)
    house.drain()
    assert house.sql("SELECT derived_from FROM nexara.summaries") == messages
    assert "Nora Finch" in house.sql("SELECT body FROM nexara.summaries")
    assert house.counts() == {"transcripts": 0, "summaries": 1, "leads": 1, "meter": 3, "emails_sent": 1}


def test_a_message_that_comes_after_all_is_metered_and_summed_up_by_the_recovery(house, shop):
    told = shop.chat(Channel.WHATSAPP, CHAT)
    house.drain()
    shop.writes(told, LATE)
    house.house_enqueue(RecoverConversations(as_of=MONDAY.replace(hour=12)))
    house.drain()
    assert house.counts() == {"transcripts": 0, "summaries": 1, "leads": 1, "meter": 3, "emails_sent": 1}
    assert "Nora Finch" in house.sql("SELECT body FROM nexara.summaries")


def test_an_older_summary_that_comes_late_does_not_replace_a_newer_one(house, shop):
    told = shop.chat(Channel.SMS, CHAT)

    def a_newer_one_overtakes():
        shop.writes(told, LATE)
        house.enqueue(SummarizeConversation(conversation_id=told.conversation), shop.business)
        assert [ended.state for ended in house.beside()] == ["succeeded"]

    assert meanwhile(house, "anthropic", a_newer_one_overtakes).state == "succeeded"
    assert len(house.sql("SELECT derived_from FROM nexara.summaries")) == 3
    assert "Nora Finch" in house.sql("SELECT body FROM nexara.summaries")
    assert house.attempts() == []
    house.drain()
    assert house.counts() == {"transcripts": 0, "summaries": 1, "leads": 1, "meter": 3, "emails_sent": 1}


def test_a_recording_that_is_deleted_while_it_is_heard_stays_deleted(house, shop):
    told = shop.booking()
    ended = meanwhile(house, "deepgram", lambda: delete_the_recording(house, shop, told))
    assert (ended.state, ended.reason) == ("cancelled", "recording_deleted")
    house.drain()
    assert house.sql("SELECT state FROM nexara.recordings") == "deleted"
    assert house.counts() == {"transcripts": 0, "summaries": 0, "leads": 0, "meter": 1, "emails_sent": 1}
    assert house.sql("SELECT count(*) FROM ledger.kept_answers") == 0


def test_words_that_are_deleted_while_they_are_summed_up_do_not_come_back(house, shop):
    told = shop.call(BOOKING.audio, TRANSFERRED.audio)
    house.step()

    def one_is_deleted():
        delete_the_recording(house, shop, told)
        change(house, shop, "DELETE FROM live.transcripts WHERE recording_id = :id", id=told.recordings[0])

    ended = meanwhile(house, "anthropic", one_is_deleted)
    assert (ended.state, ended.reason) == ("retryable", "words_deleted")
    house.drain_all()
    (body,) = house.rows("SELECT body, derived_from FROM nexara.summaries")
    assert "Finch" not in body.body
    assert len(body.derived_from) == 1
    assert house.sql("SELECT name FROM nexara.leads") is None
    assert house.counts() == {"transcripts": 1, "summaries": 1, "leads": 1, "meter": 1, "emails_sent": 1}


def test_words_that_are_deleted_while_a_lead_is_looked_for_make_none(house, shop):
    told = shop.booking()
    house.step()
    house.step()

    def it_is_deleted():
        delete_the_recording(house, shop, told)
        change(house, shop, "DELETE FROM live.transcripts")

    ended = meanwhile(house, "anthropic", it_is_deleted)
    assert (ended.state, ended.reason) == ("retryable", "words_deleted")
    house.drain_all()
    assert house.counts() == {"transcripts": 0, "summaries": 1, "leads": 0, "meter": 1, "emails_sent": 1}


def test_a_conversation_that_is_deleted_while_a_vendor_thinks_ends_its_chain(house, shop):
    for steps, vendor in ((0, "deepgram"), (1, "anthropic"), (2, "anthropic")):
        told = shop.booking()
        for _ in range(steps):
            house.step()
        ended = meanwhile(house, vendor, lambda told=told: shop.erases(told))
        assert ended.state == "cancelled", (vendor, ended)
        assert ended.reason in ("recording_deleted", "conversation_deleted")
        assert house.drain() == []
    assert house.counts() == {"transcripts": 0, "summaries": 0, "leads": 0, "meter": 0, "emails_sent": 0}
    assert {attempt.outcome for attempt in house.attempts()} == {"cancelled"}
    assert house.sql("SELECT count(*) FROM ledger.kept_answers") == 0


def test_a_mail_whose_conversation_goes_while_it_is_sent_is_noted_without_it(house, shop):
    told = shop.booking()
    for _ in range(4):
        house.step()

    def goes():
        change(house, shop, "UPDATE live.leads SET conversation_id = NULL")
        shop.erases(told)

    assert meanwhile(house, "resend", goes).state == "succeeded"
    assert house.rows("SELECT conversation_id, state FROM nexara.emails_sent") == [(None, "sent")]


def test_a_step_that_runs_twice_at_once_leaves_one_row_and_one_mail(house, shop):
    for done, (step, vendor) in enumerate(
        ((0, "deepgram"), (1, "anthropic"), (2, "anthropic"), (4, "resend")), start=1
    ):
        told = shop.booking()
        for _ in range(step):
            house.step()
        member, alert = shop.members[OWNER], Alert.CONVERSATION_ENDED
        payload = {
            0: TranscribeRecording(recording_id=told.recordings[0]),
            1: SummarizeConversation(conversation_id=told.conversation),
            2: ExtractLead(conversation_id=told.conversation),
            4: SendAlert(conversation_id=told.conversation, member_id=member, alert=alert),
        }[step]

        def a_twin_runs(payload=payload):
            house.enqueue(payload, shop.business)
            assert [ended.state for ended in house.beside()] == ["succeeded"]

        assert meanwhile(house, vendor, a_twin_runs).state == "succeeded"
        house.drain()
        tables = ("transcripts", "summaries", "leads", "meter", "emails_sent")
        assert house.counts() == dict.fromkeys(tables, done), payload.kind
        assert len(house.wires.inbox()) == done
    assert house.attempts() == []
