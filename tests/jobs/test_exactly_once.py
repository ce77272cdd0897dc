"""Every step may run at any time, by anybody: what it leads to is there once."""

from jobs.alerts.payloads import Alert, SendAlert
from jobs.conversations.payloads import SummarizeConversation
from jobs.leads.payloads import ExtractLead
from jobs.recordings.payloads import TranscribeRecording
from jobs.usage.payloads import MeterConversation
from models.conversations import Channel
from tests.jobs.conftest import OWNER

TABLES = ("recordings", "transcripts", "summaries", "leads", "meter", "emails_sent", "mentions", "remains")


def everything(house):
    """Return each row that a chain leaves, with all its columns, and what its vendors were asked."""
    rows = {table: house.rows(f"SELECT to_jsonb(t) FROM nexara.{table} t ORDER BY 1") for table in TABLES}
    return rows | {"asked": house.wires.asked(), "inbox": house.wires.inbox()}


def steps_of(told, shop):
    alert = Alert.CONVERSATION_ENDED
    return (
        TranscribeRecording(recording_id=told.recordings[0]),
        SummarizeConversation(conversation_id=told.conversation),
        ExtractLead(conversation_id=told.conversation),
        MeterConversation(conversation_id=told.conversation),
        SendAlert(conversation_id=told.conversation, member_id=shop.members[OWNER], alert=alert),
    )


def test_any_step_that_is_enqueued_again_changes_nothing_and_asks_nobody(house, shop):
    told = shop.booking()
    house.drain()
    before = everything(house)
    for payload in steps_of(told, shop):
        assert house.enqueue(payload, shop.business) == house.enqueue(payload, shop.business)
        states = {(ended.kind, ended.state) for ended in house.drain()}
        assert states <= {(step.kind, "succeeded") for step in steps_of(told, shop)} | {("alerts.send", "cancelled")}
        assert everything(house) == before, payload.kind
    (again,) = [job for job in house.jobs("alerts.send") if job.state != "succeeded"]
    assert (again.state, again.reason) == ("cancelled", "already_sent")


def test_what_is_delivered_twice_is_run_once(house, shop):
    shop.booking()
    while tokens := list(house.dispatched()):
        claimed = house.claimed(tokens)
        assert house.claimed(tokens) == []
        for job in claimed:
            assert house.runner.run(job).state == "succeeded"
            assert house.runner.run(job).state == "moved_on"
        assert house.claimed(tokens) == []
    assert house.counts() == {"transcripts": 1, "summaries": 1, "leads": 1, "meter": 1, "emails_sent": 1}
    assert house.wires.asked() == {"deepgram": 1, "anthropic": 2, "resend": 1}


def test_a_dead_step_that_on_call_retries_after_its_twin_succeeded_changes_nothing(house, shop):
    told = shop.booking()
    house.wires.deepgram.goes_wrong({"status": 400})
    house.drain()
    dead = house.job("recordings.transcribe")
    assert (dead.state, dead.reason) == ("dead", "deepgram_refused")
    house.enqueue(TranscribeRecording(recording_id=told.recordings[0]), shop.business)
    house.drain()
    before = everything(house)
    assert house.counts() == {"transcripts": 1, "summaries": 1, "leads": 1, "meter": 1, "emails_sent": 1}
    house.retry(dead.id)
    house.drain()
    assert everything(house) == before


def test_a_lead_that_the_business_corrected_is_theirs(house, shop):
    told = shop.booking()
    house.drain()
    house.sql("UPDATE nexara.leads SET name = 'Norah Finch', urgency = 'high'")
    house.enqueue(ExtractLead(conversation_id=told.conversation), shop.business)
    house.drain()
    assert house.rows("SELECT name, urgency FROM nexara.leads") == [("Norah Finch", "high")]


def test_what_a_vendor_answered_is_not_asked_for_twice_though_it_could_not_be_saved(house, shop):
    shop.booking()
    house.sql(
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$"
    )
    for failing in ("transcripts", "summaries", "leads", "emails_sent"):
        house.sql(f"CREATE TRIGGER refuse BEFORE INSERT ON nexara.{failing} EXECUTE FUNCTION public.refuse()")
        house.later()
        ended = house.drain()[-1]
        assert (ended.state, ended.reason) == ("retryable", "bug")
        assert house.sql("SELECT count(*) FROM ledger.kept_answers") == 1
        house.sql(f"DROP TRIGGER refuse ON nexara.{failing}")
    house.drain_all()
    assert house.counts() == {"transcripts": 1, "summaries": 1, "leads": 1, "meter": 1, "emails_sent": 1}
    assert house.wires.asked() == {"deepgram": 1, "anthropic": 2, "resend": 1}
    assert house.sql("SELECT count(*) FROM ledger.kept_answers") == 0


def test_members_are_told_once_each_also_one_who_came_later(house, shop):
    told = shop.booking()
    house.drain()
    shop.employ("second@example.com")
    house.enqueue(MeterConversation(conversation_id=told.conversation), shop.business)
    house.drain()
    house.enqueue(MeterConversation(conversation_id=told.conversation), shop.business)
    house.drain()
    assert sorted(mail["to"][0] for mail in house.wires.inbox()) == sorted([OWNER, "second@example.com"])
    assert house.counts()["meter"] == 1


def test_each_message_is_metered_once_also_one_that_came_later(house, shop):
    told = shop.chat(Channel.SMS, (("inbound", "Hello, are you open today?"), ("outbound", "Yes, until six.")))
    house.drain()
    shop.writes(told, "Thank you.")
    for _ in range(2):
        house.enqueue(MeterConversation(conversation_id=told.conversation), shop.business)
        house.drain()
    assert house.rows("SELECT event_key FROM nexara.meter ORDER BY 1") == house.rows(
        "SELECT event_key FROM nexara.messages ORDER BY 1"
    )
    assert len(house.wires.inbox()) == 1
