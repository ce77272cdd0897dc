"""Twilio: what is asked of it through its SDK, and what becomes of each thing that may come back."""

import base64
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ledger.clock import now
from ledger.errors import GiveUp, JobError, Misconfigured, TryAgain
from providers.copies import Asked, Deletion, Gone, Lapses, Later
from providers.twilio import Twilio
from providers.voice import Carried, Fetched
from tests.providers.scripted import Answer, Vendor
from tests.providers.traces import assert_says_nothing_of, failure_of
from tests.providers.voices import CALLER, SECRETS, SINCE, SOUND, UNTIL, Sink, full, says_nothing_of_anybody

ACCOUNT = "/2010-04-01/Accounts/AC1"
DONE = Answer(204, b"")


def refusal(status: int, code: int) -> Answer:
    body = {"code": code, "message": f"Marigold {CALLER}", "more_info": "https://twilio.example", "status": status}
    return Answer(status, body)


NO_SUCH = refusal(404, 20404)


def recording(**changes: Any) -> Answer:
    entry = {"sid": "RE1", "status": "completed", "channels": 2, "date_updated": "Mon, 23 Nov 2026 10:00:00 +0000"}
    return Answer(body=entry | changes)


def call(sid: str, minute: int, **changes: Any) -> dict[str, Any]:
    return {
        "sid": sid,
        "status": "completed",
        "direction": "inbound",
        "from": CALLER,
        "to": "+442079460100",
        "caller_name": "Marigold",
        "start_time": f"Mon, 23 Nov 2026 10:{minute:02}:00 +0000",
        "duration": "61",
        "price": None,
    } | changes


def listed(*calls: dict[str, Any], following: str | None = None) -> Answer:
    return Answer(body={"calls": list(calls), "page": 0, "page_size": 1000, "next_page_uri": following, "uri": "/x"})


@pytest.fixture
def twilio(vendor: Vendor) -> Twilio:
    return Twilio(account_sid="AC1", api_key="SK1", api_secret="s-secret", base_url=vendor.url + "/", timeout=5.0)


def test_a_recording_is_written_as_it_comes_in_as_many_channels_as_it_has(twilio: Twilio, vendor: Vendor) -> None:
    vendor.answers(recording(), Answer(body=SOUND, kind="audio/x-wav"))
    sink = Sink()
    assert twilio.fetch_recording("RE1", sink.append) == Fetched(len(SOUND), "audio/x-wav")
    assert sink.whole == SOUND
    assert len(sink) > 1
    entry, sound = vendor.asked
    assert (entry.method, entry.path) == ("GET", f"{ACCOUNT}/Recordings/RE1.json")
    assert (sound.method, sound.path) == ("GET", f"{ACCOUNT}/Recordings/RE1.wav")
    assert sound.query == {"RequestedChannels": ["2"]}
    key = base64.b64encode(b"SK1:s-secret").decode()
    assert {asked.headers["authorization"] for asked in vendor.asked} == {f"Basic {key}"}


@pytest.mark.parametrize(
    ("answers", "kind", "code"),
    [
        ([recording(status="processing")], TryAgain, "twilio_unready"),
        ([recording(status="deleted")], GiveUp, "twilio_missing"),
        ([recording(status="absent")], GiveUp, "twilio_missing"),
        ([NO_SUCH], GiveUp, "twilio_missing"),
        ([recording(channels=7)], TryAgain, "twilio_garbled"),
        ([recording(), NO_SUCH], GiveUp, "twilio_missing"),
        ([recording(), Answer(body="<h1>Marigold</h1>", kind="text/html")], TryAgain, "twilio_garbled"),
        ([recording(), Answer(body=b"", kind="audio/x-wav")], TryAgain, "twilio_garbled"),
        ([recording(), Answer(body=SOUND, kind="audio/x-wav", how="half")], TryAgain, "twilio_unreachable"),
        ([recording(), Answer(body=SOUND, kind="audio/x-wav", how="reset")], TryAgain, "twilio_unreachable"),
    ],
)
def test_a_recording_that_cannot_be_had_whole_says_why(
    twilio: Twilio, vendor: Vendor, answers: list[Answer], kind: type[JobError], code: str
) -> None:
    vendor.answers(*answers)
    error = failure_of(lambda: twilio.fetch_recording("RE1", lambda _: None))
    assert (type(error), error.code) == (kind, code)
    assert_says_nothing_of(error, *SECRETS)


def test_what_the_caller_s_own_writer_raises_is_not_twilio_s_fault(twilio: Twilio, vendor: Vendor) -> None:
    vendor.answers(recording(), Answer(body=SOUND, kind="audio/x-wav"))
    with pytest.raises(OSError, match="No space left"):
        twilio.fetch_recording("RE1", full([]))


@pytest.mark.parametrize(
    ("what", "ref", "path"),
    [
        ("call", "CA1", f"{ACCOUNT}/Calls/CA1.json"),
        ("message", "SM1", f"{ACCOUNT}/Messages/SM1.json"),
        ("message", "MM1", f"{ACCOUNT}/Messages/MM1.json"),
        ("transcript", "TR1", f"{ACCOUNT}/Transcriptions/TR1.json"),
        ("transcript", "GT1", "/v2/Transcripts/GT1"),
    ],
)
def test_each_kind_of_copy_is_deleted_and_read_back_at_its_own_place(
    twilio: Twilio, vendor: Vendor, what: str, ref: str, path: str
) -> None:
    vendor.answers(DONE, Answer(body={"sid": ref}), NO_SUCH)
    assert twilio.delete(what, ref) == Gone()
    assert twilio.gone(what, ref) is False
    assert twilio.gone(what, ref) is True
    assert [(asked.method, asked.path) for asked in vendor.asked] == [("DELETE", path), ("GET", path), ("GET", path)]


def test_a_deleted_recording_leaves_an_entry_that_lapses_in_forty_days(twilio: Twilio, vendor: Vendor) -> None:
    vendor.answers(DONE, recording(status="deleted"))
    assert twilio.delete("recording", "RE1") == Lapses(datetime(2027, 1, 2, 10, tzinfo=UTC))
    assert vendor.asked[1].query == {"IncludeSoftDeleted": ["true"]}


def test_a_recording_that_was_deleted_before_says_the_same_when_it_is_deleted_again(
    twilio: Twilio, vendor: Vendor
) -> None:
    vendor.answers(NO_SUCH, recording(status="deleted"))
    assert twilio.delete("recording", "RE1") == Lapses(datetime(2027, 1, 2, 10, tzinfo=UTC))
    vendor.answers(NO_SUCH, NO_SUCH)
    assert twilio.delete("recording", "RE1") == Gone()


@pytest.mark.parametrize(
    ("answer", "gone"), [(recording(status="deleted"), True), (recording(), False), (NO_SUCH, True)]
)
def test_a_recording_is_gone_when_its_sound_is(twilio: Twilio, vendor: Vendor, answer: Answer, gone: bool) -> None:
    vendor.answers(answer)
    assert twilio.gone("recording", "RE1") is gone


@pytest.mark.parametrize("status", [400, 409])
def test_what_is_not_over_is_deleted_later(twilio: Twilio, vendor: Vendor, status: int) -> None:
    vendor.answers(refusal(status, 20009))
    told = twilio.delete("call", "CA1")
    assert isinstance(told, Later)
    assert timedelta(minutes=50) < told.until - now() < timedelta(hours=2)


@pytest.mark.parametrize(
    ("answer", "told"), [(Answer(410, NO_SUCH.body), Gone()), (Answer(202, {"status": "queued"}), Asked())]
)
def test_other_ways_to_take_a_deletion(twilio: Twilio, vendor: Vendor, answer: Answer, told: Deletion) -> None:
    vendor.answers(answer)
    assert twilio.delete("call", "CA1") == told


def test_somebody_else_s_404_is_no_proof_that_a_copy_is_gone(twilio: Twilio, vendor: Vendor) -> None:
    vendor.answers(Answer(404, "<h1>nginx</h1>", kind="text/html"))
    for ask in (twilio.delete, twilio.gone):
        error = failure_of(lambda ask=ask: ask("call", "CA1"))  # type: ignore[misc]
        assert isinstance(error, Misconfigured)
        assert (error.code, error.setting) == ("twilio_not_there", "TWILIO_BASE_URL")


def test_the_calls_of_a_day_come_page_by_page_without_anybody_s_number(twilio: Twilio, vendor: Vendor) -> None:
    vendor.answers(
        listed(
            call("CA1", 1),
            call("CA2", 2, direction="outbound-api", status="in-progress", duration=None),
            following=f"{ACCOUNT}/Calls.json?Page=1&PageToken=PA1",
        ),
        listed(
            call("CA3", 3, direction="trunking-terminating", status="no-answer", duration="0"),
            call("CA4", 4, start_time="Tue, 24 Nov 2026 00:00:00 +0000"),
        ),
    )
    calls = list(twilio.calls(SINCE, UNTIL))
    assert calls == [
        Carried("CA1", datetime(2026, 11, 23, 10, 1, tzinfo=UTC), Decimal(61), "inbound", "completed", ended=True),
        Carried("CA2", datetime(2026, 11, 23, 10, 2, tzinfo=UTC), None, "outbound", "in-progress", ended=False),
        Carried("CA3", datetime(2026, 11, 23, 10, 3, tzinfo=UTC), Decimal(0), None, "no-answer", ended=True),
    ]
    assert says_nothing_of_anybody(calls)
    first, second = vendor.asked
    assert first.query == {
        "StartTime>": ["2026-11-23T00:00:00Z"],
        "StartTime<": ["2026-11-24T00:00:00Z"],
        "PageSize": ["1000"],
    }
    assert second.query == {"Page": ["1"], "PageToken": ["PA1"]}


def test_a_page_is_asked_for_when_the_one_before_is_used_up(twilio: Twilio, vendor: Vendor) -> None:
    vendor.answers(listed(call("CA1", 1), following=f"{ACCOUNT}/Calls.json?Page=1"), listed(call("CA2", 2)))
    calls = twilio.calls(SINCE, UNTIL)
    assert next(calls).ref == "CA1"
    assert len(vendor.asked) == 1
    assert [each.ref for each in calls] == ["CA2"]


def test_a_list_that_names_itself_as_its_next_page_is_not_taken_for_a_whole_one(twilio: Twilio, vendor: Vendor) -> None:
    vendor.answers(listed(call("CA1", 1), following=f"{ACCOUNT}/Calls.json?Page=1"))
    error = failure_of(lambda: list(twilio.calls(SINCE, UNTIL)))
    assert (type(error), error.code) == (TryAgain, "twilio_endless")
    assert len(vendor.asked) == 2


@pytest.mark.parametrize(
    "wrong",
    [{"start_time": None}, {"start_time": CALLER}, {"duration": "-1"}, {"sid": CALLER}, {"status": CALLER}],
)
def test_a_call_that_is_none_is_not_counted(twilio: Twilio, vendor: Vendor, wrong: dict[str, Any]) -> None:
    vendor.answers(listed(call("CA1", 1) | wrong))
    error = failure_of(lambda: list(twilio.calls(SINCE, UNTIL)))
    assert (type(error), error.code) == (TryAgain, "twilio_garbled")
    assert_says_nothing_of(error, *SECRETS)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (refusal(400, 21201), GiveUp, "twilio_refused"),
        (refusal(401, 20003), Misconfigured, "twilio_key_refused"),
        (refusal(403, 20003), Misconfigured, "twilio_key_refused"),
        (Answer(307, "", {"location": "https://elsewhere.invalid/"}), Misconfigured, "twilio_not_there"),
        (refusal(409, 20409), TryAgain, "twilio_unready"),
        (refusal(503, 20503), TryAgain, "twilio_down"),
    ],
)
def test_what_a_refusal_means(twilio: Twilio, vendor: Vendor, answer: Answer, kind: type[JobError], code: str) -> None:
    vendor.answers(answer)
    error = failure_of(lambda: twilio.delete("call", "CA1"))
    assert (type(error), error.code) == (kind, code)
    assert len(vendor.asked) == 1
    assert_says_nothing_of(error, *SECRETS)


@pytest.mark.parametrize("ref", ["", "CA1/../Recordings/RE1", "RE1", CALLER, "CA1?x=1", "."])
def test_what_is_no_id_of_a_call_reaches_no_path(twilio: Twilio, vendor: Vendor, ref: str) -> None:
    assert failure_of(lambda: twilio.delete("call", ref)).code == "twilio_ref_malformed"
    assert vendor.asked == []


def test_a_kind_of_copy_that_twilio_does_not_keep_is_our_mistake(twilio: Twilio) -> None:
    with pytest.raises(ValueError, match="Twilio keeps no fax"):
        twilio.delete("fax", "FX1")


def test_a_good_key_is_told_by_the_account_s_entry(twilio: Twilio, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"sid": "AC1", "friendly_name": "Nexara"}))
    twilio.check()
    assert vendor.asked[0].path == f"{ACCOUNT}.json"


def test_without_an_address_each_product_is_at_its_own_host() -> None:
    wire = Twilio(account_sid="AC1", api_key="SK1", api_secret="s-secret")._wire()
    assert wire._there("https://intelligence.twilio.com/v2/Transcripts/GT1") == (
        "https://intelligence.twilio.com/v2/Transcripts/GT1"
    )
    wire.close()
