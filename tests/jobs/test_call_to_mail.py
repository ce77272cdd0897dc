"""The main job, end to end: from the web tier's one transaction to the mail."""

from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models.conversations import Channel
from sandbox.samples import SampleLead, businesses, calls, chats
from sandbox.samples.load import load, sample_id
from tests.jobs.conftest import OWNER, PUBLIC_URL
from tests.jobs.shop import MONDAY, NUMBER
from tests.jobs.spoken import BOOKING, SAME_NUMBER, TRANSFERRED, WRONG_NUMBER

CHAIN = ("recordings.transcribe", "conversations.summarize", "leads.extract", "usage.meter", "alerts.send")
CHAT = (
    ("inbound", "Hello, could you give me a quote to replace two radiators?"),
    ("outbound", "Of course. What is your name?"),
    ("inbound", "I'm Nora Finch, nora.finch@example.org"),
    ("outbound", "Thank you, Nora. We will send you the quote tomorrow."),
)


def body(mail: dict[str, Any]) -> str:
    """Return all that a mail says."""
    return " ".join(str(mail[part]) for part in ("subject", "text", "html", "tags"))


@pytest.fixture
def samples(house, objects):
    """The demo's businesses, calls and chats, after everything ran."""
    load(house.web.url.render_as_string(hide_password=False), objects)
    house.drain()
    return house


def test_every_sample_comes_to_what_a_careful_listener_notes(samples):
    assert {job.state for job in samples.jobs()} == {"succeeded"}
    assert samples.attempts() == []
    zones = {business.id: ZoneInfo(business.zone) for business in businesses()}
    found = {row.conversation_id: row for row in samples.rows("SELECT * FROM nexara.leads")}
    for sample in (*calls(), *chats()):
        lead = found.pop(sample_id("conversation", sample.id), None)
        if sample.lead == SampleLead("other", "low"):
            assert lead is None, sample.id
            continue
        wanted = lead.requested_at and lead.requested_at.astimezone(zones[sample.business]).strftime("%A %H:%M")
        told = SampleLead(lead.intent, lead.urgency, lead.name, lead.phone, lead.email, wanted)
        assert told == sample.lead, sample.id
        assert lead.person_id == sample_id("person", sample.id)
    assert found == {}
    mails = Counter((mail["to"][0], mail["subject"].partition(":")[0]) for mail in samples.wires.inbox())
    assert mails[("margaret@riverside-plumbing.example.com", "EMERGENCY")] == 1
    per_member = {
        member.email: sum(each.business == business.id for each in (*calls(), *chats())) * member.alerts
        for business in businesses()
        for member in business.members
    }
    assert Counter(address for address, _ in mails.elements()) == Counter(per_member)


def test_one_call_leaves_its_rows_and_no_other(house, shop):
    told = shop.booking()
    root = house.job("recordings.transcribe").id
    assert Counter(each.kind for each in house.drain()) == Counter(CHAIN)
    assert [(job.kind, job.state, job.attempt, job.root_id) for job in house.jobs()] == [
        (kind, "succeeded", 1, root) for kind in CHAIN
    ]
    assert house.counts() == {"transcripts": 1, "summaries": 1, "leads": 1, "meter": 1, "emails_sent": 1}
    assert house.sql("SELECT count(*) FROM ledger.kept_answers") == 0
    assert house.wires.asked() == {"deepgram": 1, "anthropic": 2, "resend": 1}

    (heard,) = house.rows("SELECT * FROM nexara.transcripts")
    assert heard.recording_id == told.recordings[0]
    assert [said["text"] for said in heard.segments] == BOOKING.lines
    assert [said["channel"] for said in heard.segments] == [1, 0, 1, 0, 1]
    assert all(said["start"] < said["end"] for said in heard.segments)
    assert heard.body == "\n".join(BOOKING.lines)
    assert (heard.language, heard.seconds) == ("en", 1)
    assert house.sql("SELECT seconds FROM nexara.recordings") == 1

    (summary,) = house.rows("SELECT * FROM nexara.summaries")
    assert (summary.conversation_id, summary.derived_from) == (told.conversation, [str(heard.id)])
    assert "Nora Finch wanted to make an appointment" in summary.body
    assert summary.input_tokens > summary.output_tokens > 0

    (lead,) = house.rows("SELECT * FROM nexara.leads")
    assert (lead.conversation_id, lead.person_id) == (told.conversation, told.person)
    assert (lead.name, lead.phone, lead.email) == ("Nora Finch", NUMBER, None)
    assert (lead.intent, lead.urgency) == ("booking", "normal")
    assert lead.requested_at.astimezone(ZoneInfo("Europe/London")).isoformat() == "2026-06-02T15:00:00+01:00"
    assert lead.verbatim == "I would like to book a visit on Tuesday at three in the afternoon."

    ended = house.sql("SELECT to_jsonb(ended_at) FROM nexara.conversations")
    (metered,) = house.rows("SELECT to_jsonb(m) - 'id' FROM nexara.meter m")
    assert metered[0] == {
        "business_id": str(shop.business),
        "event_key": house.sql("SELECT event_key FROM nexara.calls"),
        "source": "call",
        "unit": "call_second",
        "direction": None,
        "quantity": 75,
        "at": ended,
        "correction_of": None,
        "keep_until": f"{int(ended[:4]) + 7}-01-01",  # six years from the end of that year, as Britain asks
    }
    (sent,) = house.rows("SELECT to_jsonb(e) FROM nexara.emails_sent e")
    (mail,) = house.wires.inbox()
    assert sent[0]["to_member"] == str(shop.members[OWNER])
    assert (sent[0]["conversation_id"], sent[0]["resend_ref"]) == (str(told.conversation), mail["id"])
    assert (sent[0]["template"], sent[0]["state"]) == ("conversation_ended", "sent")
    assert not set(sent[0]) & {"address", "email", "subject", "body", "text", "html"}


def test_what_deepgram_is_asked_is_a_link_that_lapses_and_no_training(house, shop):
    shop.booking()
    house.drain()
    (asked,) = house.wires.deepgram.asked()
    assert asked["query"]["mip_opt_out"] == ["true"]
    assert asked["query"]["multichannel"] == asked["query"]["diarize"] == ["true"]
    assert asked["query"]["tag"] == [str(shop.business)]
    assert "X-Amz-Expires=3600" in asked["text"]
    assert NUMBER not in str(asked)


def test_a_chat_takes_the_same_way_from_its_summary_on(house, shop):
    for channel in (Channel.WEB_CHAT, Channel.WHATSAPP, Channel.SMS):
        told = shop.chat(channel, CHAT)
        root = house.jobs()[-1].id
        house.drain()
        chain = house.rows("SELECT kind, state, root_id FROM ledger.jobs WHERE id >= :root ORDER BY id", root=root)
        assert chain == [(kind, "succeeded", root) for kind in CHAIN[1:]]
        about = {"id": told.conversation}
        messages = house.rows(
            "SELECT id, event_key, direction FROM nexara.messages WHERE conversation_id = :id ORDER BY sent_at", **about
        )
        (summary,) = house.rows("SELECT * FROM nexara.summaries WHERE conversation_id = :id", **about)
        assert summary.derived_from == [str(message.id) for message in messages]
        (lead,) = house.rows("SELECT * FROM nexara.leads WHERE conversation_id = :id", **about)
        assert (lead.name, lead.email, lead.phone) == ("Nora Finch", "nora.finch@example.org", None)
        assert (lead.intent, lead.person_id) == ("quote", told.person)
        metered = house.rows(
            "SELECT event_key, unit, direction, quantity FROM nexara.meter WHERE source = :channel ORDER BY at",
            channel=channel.value,
        )
        assert metered == [(m.event_key, "message", m.direction, 1) for m in messages]
        mail = house.wires.inbox()[-1]
        assert mail["to"] == [OWNER]
        assert f"{PUBLIC_URL}/conversations/{told.conversation}" in mail["text"]
    assert len(house.wires.inbox()) == 3


def test_by_default_a_mail_tells_urgency_kind_and_a_link_and_nothing_of_the_caller(house, shop):
    told = shop.booking()
    house.drain()
    (mail,) = house.wires.inbox()
    said = body(mail)
    for secret in ("Nora", "Finch", "7700", "123", "Tuesday", "visit", "appointment", str(shop.business), OWNER):
        assert secret not in said.replace(str(told.conversation), ""), secret
    assert (mail["subject"], mail["to"]) == ("New: a booking by phone call", [OWNER])
    assert "Urgency: normal\nRequest: booking\nChannel: phone call\n" in mail["text"]
    link = f"{PUBLIC_URL}/conversations/{told.conversation}"
    assert link in mail["text"].splitlines()
    assert f'href="{link}"' in mail["html"]
    assert mail["from"] == "Nexara <alerts@nexara.example.com>"


def test_a_business_that_chose_so_reads_the_details_in_the_mail_itself(house, new_shop):
    shop = new_shop(details=True)
    shop.employ("first@example.com")
    shop.employ("second@example.com")
    shop.employ("quiet@example.com", alerts=False)
    shop.booking()
    house.drain()
    mails = house.wires.inbox()
    assert sorted(mail["to"][0] for mail in mails) == ["first@example.com", "second@example.com"]
    for mail in mails:
        assert "Name: Nora Finch\nPhone: +447700900123\nWants: Tue 02 Jun 2026 15:00 (Europe/London)\n" in mail["text"]
        assert house.sql("SELECT body FROM nexara.summaries") in mail["text"]
        assert "<td>+447700900123</td>" in mail["html"]
        assert "Nora" not in mail["subject"]
    assert len({mail["idempotency_key"] for mail in mails}) == 2


def test_a_call_that_was_not_recorded_is_metered_and_told_of(house, shop):
    told = shop.call(recorded=False, seconds=None)
    house.drain()
    assert [job.kind for job in house.jobs()] == ["usage.meter", "alerts.send"]
    assert house.counts() == {"transcripts": 0, "summaries": 0, "leads": 0, "meter": 1, "emails_sent": 1}
    assert house.sql("SELECT quantity FROM nexara.meter") == 75, "what no carrier told is the time it lasted"
    (mail,) = house.wires.inbox()
    assert mail["subject"] == "New: a conversation by phone call"
    assert str(told.conversation) in mail["text"]


@pytest.mark.parametrize("first", [0, 1])
def test_two_recordings_of_a_call_in_either_order_make_one_summary_of_both(house, shop, first):
    told = shop.call(BOOKING.audio, TRANSFERRED.audio)
    tokens = list(house.dispatched())
    for token in (tokens[first], tokens[1 - first]):
        assert house.jobs("conversations.%") == []
        (claimed,) = house.claimed([token])
        assert house.runner.run(claimed).state == "succeeded"
    house.drain()
    assert len(house.jobs("conversations.%")) == 1
    assert house.counts() == {"transcripts": 2, "summaries": 1, "leads": 1, "meter": 1, "emails_sent": 1}
    heard = dict(house.rows("SELECT recording_id, id::text FROM nexara.transcripts"))
    derived = house.sql("SELECT derived_from FROM nexara.summaries")
    assert derived == [heard[recording] for recording in told.recordings]
    asked, _ = house.wires.anthropic.asked()
    assert 0 < asked["text"].index("book a visit") < asked["text"].index("quote for the new boiler")
    assert len(house.wires.inbox()) == 1


def test_this_number_is_fine_means_the_number_that_called(house, shop):
    shop.call(SAME_NUMBER.audio)
    house.drain()
    assert house.rows("SELECT phone, intent FROM nexara.leads") == [(NUMBER, "callback")]


def test_a_withheld_number_stays_absent(house, shop):
    shop.call(SAME_NUMBER.audio, number=None)
    house.drain()
    assert house.rows("SELECT phone, intent FROM nexara.leads") == [(None, "callback")]
    assert house.counts() == {"transcripts": 1, "summaries": 1, "leads": 1, "meter": 1, "emails_sent": 1}


def test_a_wrong_number_is_told_of_and_is_no_lead(house, shop):
    shop.call(WRONG_NUMBER.audio)
    house.drain()
    assert house.counts() == {"transcripts": 1, "summaries": 1, "leads": 0, "meter": 1, "emails_sent": 1}
    (mail,) = house.wires.inbox()
    assert mail["subject"] == "New: a conversation by phone call"


def test_a_call_that_ends_after_its_recording_came_is_metered_when_it_ended(house, shop):
    told = shop.call(BOOKING.audio, ended_at=None)
    house.drain()
    (job,) = house.jobs("usage.meter")
    assert (job.state, job.reason) == ("retryable", "not_ended")
    with house.acting_for(shop.business) as db:
        db.connection().exec_driver_sql(
            "UPDATE live.conversations SET ended_at = %s WHERE id = %s", (MONDAY, told.conversation)
        )
    house.drain_all()
    assert house.job("usage.meter").state == "succeeded"
    assert house.counts()["meter"] == house.counts()["emails_sent"] == 1
