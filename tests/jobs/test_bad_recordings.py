"""A recording that is no use: the call is billed and told of all the same, and on-call can still mend it."""

import json

import pytest
from sqlalchemy import text

from jobs.conversations.payloads import RecoverConversations
from jobs.recordings.payloads import TranscribeRecording
from models.recordings import RecordingState
from tests.jobs.shop import MONDAY
from tests.jobs.spoken import BOOKING, CORRUPT, SILENT, TRANSFERRED

WHOLE = {"transcripts": 1, "summaries": 1, "leads": 1, "meter": 1, "emails_sent": 1}
BILLED_AND_TOLD = {"transcripts": 0, "summaries": 0, "leads": 0, "meter": 1, "emails_sent": 1}


def change(house, shop, statement, **values):
    with house.acting_for(shop.business) as db:
        db.execute(text(statement), values)


@pytest.mark.parametrize(
    ("audio", "code"),
    [(CORRUPT, "audio_unreadable"), (b"", "recording_empty"), (None, "object_missing")],
    ids=["corrupt", "empty", "missing"],
)
def test_what_cannot_be_heard_is_billed_and_told_of_and_can_be_mended(house, shop, audio, code):
    told = shop.call(audio)
    house.drain()
    dead = house.job("recordings.transcribe")
    assert (dead.state, dead.reason, dead.attempt) == ("dead", code, 1)
    (attempt,) = house.attempts()
    assert (attempt.outcome, attempt.error_code, attempt.error_class) == ("gave_up", code, "GiveUp")
    assert attempt.message
    assert house.rows("SELECT state, object FROM nexara.recordings") == [("unusable", told.objects[0])]
    assert house.counts() == BILLED_AND_TOLD
    assert house.wires.asked()["anthropic"] == 0
    (mail,) = house.wires.inbox()
    assert str(told.conversation) in mail["text"]

    shop.objects.put(told.objects[0], BOOKING.audio, "audio/wav")
    house.retry(dead.id)
    house.drain()
    assert {job.state for job in house.jobs()} <= {"succeeded", "cancelled"}
    assert house.sql("SELECT state FROM nexara.recordings") == "stored"
    assert house.counts() == WHOLE
    assert len(house.wires.inbox()) == 1


def test_silence_has_an_empty_transcript_and_nobody_reads_it(house, shop):
    shop.call(SILENT)
    house.drain()
    assert {job.state for job in house.jobs()} == {"succeeded"}
    assert house.rows("SELECT body, segments, seconds FROM nexara.transcripts") == [("", [], 3)]
    assert house.counts() == WHOLE | {"summaries": 0, "leads": 0}
    assert house.wires.asked() == {"deepgram": 1, "resend": 1}


def test_one_recording_of_two_that_cannot_be_heard_leaves_the_other_one_s_words(house, shop):
    shop.call(CORRUPT, BOOKING.audio)
    house.drain()
    assert sorted(job.state for job in house.jobs("recordings.transcribe")) == ["dead", "succeeded"]
    assert house.counts() == WHOLE
    assert house.sql("SELECT name FROM nexara.leads") == "Nora Finch"


def test_a_recording_that_is_not_stored_yet_is_waited_for(house, shop):
    told = shop.call(TRANSFERRED.audio, state=RecordingState.PENDING)
    assert house.jobs() == []
    change(
        house,
        shop,
        "UPDATE live.recordings SET state = 'stored', object = :key WHERE id = :id",
        key=told.objects[0],
        id=told.recordings[0],
    )
    house.drain()
    assert house.counts() == WHOLE


def test_a_recording_that_was_deleted_first_is_not_heard(house, shop):
    shop.booking()
    change(house, shop, "UPDATE live.recordings SET state = 'deleted', object = NULL")
    house.drain()
    job = house.job("recordings.transcribe")
    assert (job.state, job.reason) == ("cancelled", "recording_deleted")
    assert house.counts() == BILLED_AND_TOLD
    assert house.wires.asked() == {"resend": 1}


def test_a_recording_whose_row_is_gone_leaves_a_call_that_the_recovery_bills(house, shop):
    shop.booking()
    change(house, shop, "DELETE FROM live.recordings")
    house.drain()
    job = house.job("recordings.transcribe")
    assert (job.state, job.reason) == ("cancelled", "recording_deleted")
    house.house_enqueue(RecoverConversations(as_of=MONDAY.replace(hour=12)))
    house.drain()
    assert house.counts() == BILLED_AND_TOLD
    house.house_enqueue(RecoverConversations(as_of=MONDAY.replace(hour=13)))
    house.drain()
    assert house.counts() == BILLED_AND_TOLD


def test_a_conversation_that_is_deleted_before_each_step_ends_its_chain_quietly(house, shop):
    for steps in range(5):
        told = shop.booking()
        for _ in range(steps):
            house.step()
        shop.erases(told)
        house.drain()
        last = house.jobs()[-1]
        assert (last.state, last.reason) in (
            ("cancelled", "recording_deleted"),
            ("cancelled", "conversation_deleted"),
        ), last
    assert house.wires.inbox() == []
    assert house.rows("SELECT count(*) FROM nexara.meter") == [(1,)], "what was metered before stays"
    assert {job.state for job in house.jobs()} == {"succeeded", "cancelled"}


def test_another_business_s_recording_is_none(house, shop, new_shop):
    theirs = new_shop().booking()
    house.drain()
    before = house.counts()
    house.enqueue(TranscribeRecording(recording_id=theirs.recordings[0]), shop.business)
    house.drain()
    job = house.jobs("recordings.transcribe")[-1]
    assert (job.state, job.reason, job.business_id) == ("cancelled", "recording_deleted", shop.business)
    assert house.counts() == before


def test_a_zone_that_is_none_is_said_and_the_call_is_billed(house, new_shop):
    shop = new_shop(zone="Europe/Atlantis")
    shop.employ("owner@example.com")
    shop.booking()
    house.drain()
    job = house.job("leads.extract")
    assert (job.state, job.reason) == ("dead", "zone_unknown")
    assert house.counts() == WHOLE | {"leads": 0}
    house.sql("UPDATE nexara.businesses SET zone = 'Europe/Athens'")
    house.retry(job.id)
    house.drain()
    assert house.counts() == WHOLE


def test_a_call_that_ended_before_it_began_costs_nothing(house, shop):
    told = shop.call(recorded=False, seconds=None, ended_at=MONDAY.replace(hour=8))
    house.drain()
    assert house.rows("SELECT quantity FROM nexara.meter") == [(0,)]
    assert str(told.conversation) in house.wires.inbox()[0]["text"]


def test_a_call_whose_row_is_not_there_yet_is_waited_for(house, shop):
    told = shop.call(recorded=False)
    with house.admin.begin() as db:
        (call,) = db.execute(text("DELETE FROM nexara.calls RETURNING to_jsonb(calls)")).one()
    house.drain()
    assert [(job.state, job.reason) for job in house.jobs()] == [("retryable", "call_missing")]
    house.sql(
        "INSERT INTO nexara.calls SELECT * FROM jsonb_populate_record(NULL::nexara.calls, CAST(:call AS jsonb))",
        call=json.dumps(call),
    )
    house.drain_all()
    assert house.counts() == BILLED_AND_TOLD
    assert str(told.conversation) in house.wires.inbox()[0]["text"]
