"""Telnyx: what is asked of it, and what becomes of each thing that may come back."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from providers.copies import Asked, Gone, Lapses
from providers.telnyx import Telnyx
from providers.voice import Carried, Fetched
from tests.providers.scripted import Answer, Vendor
from tests.providers.traces import assert_says_nothing_of, failure_of
from tests.providers.voices import CALLER, SECRETS, SINCE, SOUND, UNTIL, Sink, full, says_nothing_of_anybody

LEG = "428c31b6-7af4-4bcb-b7f5-5013ef9657c1"


def refusal(status: int, code: str = "10005", **headers: str) -> Answer:
    said = {"errors": [{"code": code, "title": "Marigold", "detail": CALLER}]}
    return Answer(status, said, {name.replace("_", "-"): value for name, value in headers.items()})


NO_SUCH = refusal(404)


def recording(**changes: Any) -> Answer:
    return Answer(body={"data": {"id": "r1", "status": "completed", "from": CALLER, "to": CALLER} | changes})


def record(leg: str, minute: int, **changes: Any) -> dict[str, Any]:
    return {
        "record_type": "call-control",
        "call_leg_id": leg,
        "direction": "inbound",
        "cli": CALLER,
        "cld": CALLER,
        "started_at": f"2026-11-23T10:{minute:02}:00Z",
        "finished_at": f"2026-11-23T11:{minute:02}:00Z",
        "call_sec": 61,
        "billed_sec": 120,
        "cost": "0.01",
    } | changes


def listed(number: int, total: int, *records: dict[str, Any]) -> Answer:
    meta = {"page_number": number, "total_pages": total, "page_size": 50, "total_results": 3}
    return Answer(body={"data": list(records), "meta": meta})


@pytest.fixture
def telnyx(vendor: Vendor) -> Telnyx:
    return Telnyx(api_key="k-secret", base_url=vendor.url + "/", timeout=5.0)


def test_a_recording_is_written_from_the_link_that_telnyx_names_without_our_key(telnyx: Telnyx, vendor: Vendor) -> None:
    link = f"{vendor.url}/download/r1.wav?X-Amz-Signature=5ec2e7"
    vendor.answers(recording(download_urls={"wav": link}), Answer(body=SOUND, kind="audio/wav"))
    sink = Sink()
    assert telnyx.fetch_recording("r1", sink.append) == Fetched(len(SOUND), "audio/wav")
    assert sink.whole == SOUND
    entry, sound = vendor.asked
    assert (entry.method, entry.path) == ("GET", "/v2/recordings/r1")
    assert entry.headers["authorization"] == "Bearer k-secret"
    assert (sound.path, sound.query) == ("/download/r1.wav", {"X-Amz-Signature": ["5ec2e7"]})
    assert "authorization" not in sound.headers


@pytest.mark.parametrize(
    ("answers", "kind", "code"),
    [
        ([recording(status="in-progress")], TryAgain, "telnyx_unready"),
        ([recording()], GiveUp, "telnyx_missing"),
        ([NO_SUCH], GiveUp, "telnyx_missing"),
        ([recording(download_urls={"wav": "http://169.254.169.254/latest"})], TryAgain, "telnyx_garbled"),
        ([recording(download_urls={"wav": "file:///etc/passwd"})], TryAgain, "telnyx_garbled"),
        ([recording(download_urls={"wav": CALLER})], TryAgain, "telnyx_garbled"),
    ],
)
def test_a_recording_that_cannot_be_had_says_why(
    telnyx: Telnyx, vendor: Vendor, answers: list[Answer], kind: type[JobError], code: str
) -> None:
    vendor.answers(*answers)
    error = failure_of(lambda: telnyx.fetch_recording("r1", lambda _: None))
    assert (type(error), error.code) == (kind, code)
    assert len(vendor.asked) == 1
    assert_says_nothing_of(error, *SECRETS)


@pytest.mark.parametrize(
    ("sound", "code"),
    [
        (Answer(body="<Error>Marigold</Error>", kind="application/xml"), "telnyx_garbled"),
        (Answer(body=b"", kind="audio/wav"), "telnyx_garbled"),
        (Answer(body=SOUND, kind="audio/wav", how="half"), "telnyx_unreachable"),
        (Answer(500, "Marigold", kind="text/plain"), "telnyx_down"),
    ],
)
def test_a_recording_that_does_not_come_whole_is_fetched_again(
    telnyx: Telnyx, vendor: Vendor, sound: Answer, code: str
) -> None:
    vendor.answers(recording(download_urls={"mp3": f"{vendor.url}/r1.mp3?5ec2e7"}), sound)
    error = failure_of(lambda: telnyx.fetch_recording("r1", lambda _: None))
    assert (type(error), error.code) == (TryAgain, code)
    assert_says_nothing_of(error, *SECRETS)


def test_what_the_caller_s_own_writer_raises_is_not_telnyx_s_fault(telnyx: Telnyx, vendor: Vendor) -> None:
    vendor.answers(recording(download_urls={"wav": f"{vendor.url}/r1"}), Answer(body=SOUND, kind="audio/wav"))
    with pytest.raises(OSError, match="No space left"):
        telnyx.fetch_recording("r1", full([]))


@pytest.mark.parametrize(
    ("what", "path"),
    [
        ("recording", "/v2/recordings/r1"),
        ("transcript", "/v2/recording_transcriptions/r1"),
        ("conversation", "/v2/ai/conversations/r1"),
    ],
)
def test_each_kind_of_copy_is_deleted_and_read_back_at_its_own_place(
    telnyx: Telnyx, vendor: Vendor, what: str, path: str
) -> None:
    vendor.answers(recording(), recording(), NO_SUCH, NO_SUCH)
    assert telnyx.delete(what, "r1") == Gone()
    assert telnyx.gone(what, "r1") is False
    assert telnyx.gone(what, "r1") is True
    assert telnyx.delete(what, "r1") == Gone()
    assert [asked.method for asked in vendor.asked] == ["DELETE", "GET", "GET", "DELETE"]
    assert {asked.path for asked in vendor.asked} == {path}


@pytest.mark.parametrize(
    ("answer", "told"), [(Answer(202, {"data": {"id": "r1"}}), Asked()), (Answer(204, b""), Gone())]
)
def test_other_ways_to_take_a_deletion(telnyx: Telnyx, vendor: Vendor, answer: Answer, told: Any) -> None:
    vendor.answers(answer)
    assert telnyx.delete("recording", "r1") == told


@pytest.mark.parametrize("what", ["call", "message"])
def test_what_telnyx_cannot_delete_lapses_and_is_never_called_gone(telnyx: Telnyx, vendor: Vendor, what: str) -> None:
    assert telnyx.delete(what, LEG) == Lapses(None)
    assert telnyx.gone(what, LEG) is False
    assert vendor.asked == []


def test_somebody_else_s_404_is_no_proof_that_a_copy_is_gone(telnyx: Telnyx, vendor: Vendor) -> None:
    vendor.answers(Answer(404, "<h1>nginx</h1>", kind="text/html"))
    for ask in (telnyx.delete, telnyx.gone):
        error = failure_of(lambda ask=ask: ask("recording", "r1"))  # type: ignore[misc]
        assert isinstance(error, Misconfigured)
        assert (error.code, error.setting) == ("telnyx_not_there", "TELNYX_BASE_URL")


def test_the_calls_of_a_day_come_page_by_page_without_anybody_s_number(telnyx: Telnyx, vendor: Vendor) -> None:
    open_call = record("leg-2", 2, finished_at=None, call_sec=None, billed_sec=None, direction="outbound")
    tomorrow = record("leg-4", 4, started_at="2026-11-24T00:00:00Z")
    vendor.answers(
        listed(1, 2, record("leg-1", 1), open_call),
        listed(
            2,
            2,
            record("leg-3", 3, call_sec=None, direction="sideways", status="completed"),
            tomorrow,
        ),
    )
    calls = list(telnyx.calls(SINCE, UNTIL))
    assert calls == [
        Carried("leg-1", datetime(2026, 11, 23, 10, 1, tzinfo=UTC), Decimal(61), "inbound", "finished", ended=True),
        Carried("leg-2", datetime(2026, 11, 23, 10, 2, tzinfo=UTC), None, "outbound", "open", ended=False),
        Carried("leg-3", datetime(2026, 11, 23, 10, 3, tzinfo=UTC), Decimal(120), None, "completed", ended=True),
    ]
    assert says_nothing_of_anybody(calls)
    first, second = vendor.asked
    assert first.path == "/v2/detail_records"
    assert first.query == {
        "filter[record_type]": ["call-control"],
        "filter[started_at][gte]": ["2026-11-23T00:00:00Z"],
        "filter[started_at][lt]": ["2026-11-24T00:00:00Z"],
        "sort": ["started_at"],
        "page[number]": ["1"],
        "page[size]": ["50"],
    }
    assert second.query["page[number]"] == ["2"]


def test_a_day_without_calls_is_one_page(telnyx: Telnyx, vendor: Vendor) -> None:
    vendor.answers(listed(1, 0))
    assert list(telnyx.calls(SINCE, UNTIL)) == []
    assert len(vendor.asked) == 1


def test_a_list_that_goes_round_is_not_taken_for_a_whole_one(telnyx: Telnyx, vendor: Vendor) -> None:
    vendor.answers(listed(1, 5, record("leg-1", 1)))
    error = failure_of(lambda: list(telnyx.calls(SINCE, UNTIL)))
    assert (type(error), error.code) == (TryAgain, "telnyx_endless")
    assert len(vendor.asked) == 2


@pytest.mark.parametrize("wrong", [{"started_at": "Marigold"}, {"call_sec": -1}, {"call_leg_id": CALLER}])
def test_a_call_that_is_none_is_not_counted(telnyx: Telnyx, vendor: Vendor, wrong: dict[str, Any]) -> None:
    vendor.answers(listed(1, 1, record("leg-1", 1) | wrong))
    error = failure_of(lambda: list(telnyx.calls(SINCE, UNTIL)))
    assert (type(error), error.code) == (TryAgain, "telnyx_garbled")
    assert_says_nothing_of(error, *SECRETS)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (refusal(400, "10015"), GiveUp, "telnyx_refused"),
        (refusal(401, "10009"), Misconfigured, "telnyx_key_refused"),
        (refusal(403, "10010"), Misconfigured, "telnyx_key_refused"),
        (refusal(409, "10007"), TryAgain, "telnyx_unready"),
        (refusal(422, "10015"), GiveUp, "telnyx_refused"),
        (Answer(307, "", {"location": "https://elsewhere.invalid/"}), Misconfigured, "telnyx_not_there"),
    ],
)
def test_what_a_refusal_means(telnyx: Telnyx, vendor: Vendor, answer: Answer, kind: type[JobError], code: str) -> None:
    vendor.answers(answer)
    error = failure_of(lambda: telnyx.delete("recording", "r1"))
    assert (type(error), error.code) == (kind, code)
    assert len(vendor.asked) == 1
    assert_says_nothing_of(error, *SECRETS)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x_ratelimit_reset": "7"}, 7.0),
        ({"x_ratelimit_reset": "1790000000"}, 900.0),
        ({"retry_after": "3", "x_ratelimit_reset": "7"}, 3.0),
        ({}, None),
    ],
)
def test_a_pause_is_told_under_either_name(
    telnyx: Telnyx, vendor: Vendor, headers: dict[str, str], seconds: float | None
) -> None:
    vendor.answers(refusal(429, "10011", **headers))
    error = failure_of(lambda: telnyx.delete("recording", "r1"))
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.vendor) == (seconds, "telnyx")


@pytest.mark.parametrize("ref", ["", "r1/../x", CALLER, "r1?x=1", "..", "r 1"])
def test_what_is_no_id_reaches_no_path(telnyx: Telnyx, vendor: Vendor, ref: str) -> None:
    assert failure_of(lambda: telnyx.delete("recording", ref)).code == "telnyx_ref_malformed"
    assert vendor.asked == []


def test_a_kind_of_copy_that_telnyx_does_not_keep_is_our_mistake(telnyx: Telnyx) -> None:
    with pytest.raises(ValueError, match="Telnyx keeps no speech"):
        telnyx.delete("speech", "s1")


def test_a_good_key_is_told_by_the_list_of_recordings(telnyx: Telnyx, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"data": [{"id": "r1"}], "meta": {}}))
    telnyx.check()
    assert vendor.asked[0].query == {"page[size]": ["1"]}
