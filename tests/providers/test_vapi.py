"""Vapi: what is asked of it, and what becomes of each thing that may come back."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ledger.errors import GiveUp, JobError, Misconfigured, TryAgain
from providers import vapi as module
from providers.copies import Asked, Gone
from providers.vapi import Vapi
from providers.voice import Carried, Fetched
from tests.providers.scripted import Answer, Vendor
from tests.providers.traces import assert_says_nothing_of, failure_of
from tests.providers.voices import CALLER, SECRETS, SINCE, SOUND, UNTIL, Sink, says_nothing_of_anybody


def refusal(status: int, message: str = "Call not found") -> Answer:
    return Answer(status, {"message": message, "error": "Marigold", "statusCode": status})


NO_SUCH = refusal(404)


def call(id: str, at: str = "2026-11-23T10:00:00.000Z", **changes: Any) -> dict[str, Any]:  # noqa: A002
    return {
        "id": id,
        "type": "inboundPhoneCall",
        "status": "ended",
        "createdAt": at,
        "startedAt": "2026-11-23T10:00:05.000Z",
        "endedAt": "2026-11-23T10:01:05.250Z",
        "phoneCallProviderId": "CA1",
        "customer": {"number": CALLER},
        "transcript": "Marigold",
    } | changes


@pytest.fixture
def vapi(vendor: Vendor) -> Vapi:
    return Vapi(api_key="k-secret", base_url=vendor.url + "/", timeout=5.0)


@pytest.mark.parametrize("names", [("recordingUrl", "stereoRecordingUrl"), ("recordingUrl",)])
def test_a_recording_is_written_from_the_best_link_there_is_without_our_key(
    vapi: Vapi, vendor: Vendor, names: tuple[str, ...]
) -> None:
    links = {name: f"{vendor.url}/{name}?5ec2e7" for name in names}
    vendor.answers(Answer(body=call("c1", artifact=links)), Answer(body=SOUND, kind="audio/wav"))
    sink = Sink()
    assert vapi.fetch_recording("c1", sink.append) == Fetched(len(SOUND), "audio/wav")
    assert sink.whole == SOUND
    entry, sound = vendor.asked
    assert (entry.path, entry.headers["authorization"]) == ("/call/c1", "Bearer k-secret")
    assert sound.path == f"/{names[-1]}"
    assert "authorization" not in sound.headers


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Answer(body=call("c1", status="in-progress")), TryAgain, "vapi_unready"),
        (Answer(body=call("c1")), GiveUp, "vapi_missing"),
        (Answer(body=call("c1", artifact={})), GiveUp, "vapi_missing"),
        (NO_SUCH, GiveUp, "vapi_missing"),
        (Answer(body=call("c1", artifact={"recordingUrl": "http://10.0.0.1/x"})), TryAgain, "vapi_garbled"),
    ],
)
def test_a_recording_that_cannot_be_had_says_why(
    vapi: Vapi, vendor: Vendor, answer: Answer, kind: type[JobError], code: str
) -> None:
    vendor.answers(answer)
    error = failure_of(lambda: vapi.fetch_recording("c1", lambda _: None))
    assert (type(error), error.code) == (kind, code)
    assert len(vendor.asked) == 1
    assert_says_nothing_of(error, *SECRETS)


@pytest.mark.parametrize("what", ["call", "recording", "transcript", "conversation"])
def test_whatever_part_of_a_call_is_to_go_the_call_goes(vapi: Vapi, vendor: Vendor, what: str) -> None:
    vendor.answers(Answer(body=call("c1")), Answer(body=call("c1")), NO_SUCH, NO_SUCH)
    assert vapi.delete(what, "c1") == Gone()
    assert vapi.gone(what, "c1") is False
    assert vapi.gone(what, "c1") is True
    assert vapi.delete(what, "c1") == Gone()
    assert [asked.method for asked in vendor.asked] == ["DELETE", "GET", "GET", "DELETE"]
    assert {(asked.path, asked.body) for asked in vendor.asked} == {("/call/c1", b"")}


def test_a_deletion_that_answers_with_another_call_is_not_believed(vapi: Vapi, vendor: Vendor) -> None:
    vendor.answers(Answer(body=call("c2")))
    assert failure_of(lambda: vapi.delete("call", "c1")).code == "vapi_garbled"


def test_a_deletion_that_is_merely_accepted_is_still_to_be_read_back(vapi: Vapi, vendor: Vendor) -> None:
    vendor.answers(Answer(202, {}))
    assert vapi.delete("call", "c1") == Asked()


@pytest.mark.parametrize("answer", [Answer(200, {}), Answer(202, {"ids": ["c1"]}), Answer(204, b"")])
def test_many_are_asked_for_in_one_and_promised_none(vapi: Vapi, vendor: Vendor, answer: Answer) -> None:
    vendor.answers(answer)
    assert vapi.delete_many(["c1", "c2"]) == Asked()
    [asked] = vendor.asked
    assert (asked.method, asked.path, asked.json) == ("DELETE", "/call/c1", {"ids": ["c1", "c2"]})


@pytest.mark.parametrize("refs", [[], ["c1"] * 101])
def test_none_and_too_many_are_our_mistake(vapi: Vapi, vendor: Vendor, refs: list[str]) -> None:
    with pytest.raises(ValueError, match="one to 100"):
        vapi.delete_many(refs)
    assert vendor.asked == []


@pytest.mark.parametrize(
    "answer", [Answer(404, "<h1>nginx</h1>", kind="text/html"), refusal(404, "Cannot GET /v9/call/c1"), Answer(404, {})]
)
def test_somebody_else_s_404_is_no_proof_that_a_call_is_gone(vapi: Vapi, vendor: Vendor, answer: Answer) -> None:
    vendor.answers(answer)
    for ask in (vapi.delete, vapi.gone):
        error = failure_of(lambda ask=ask: ask("call", "c1"))  # type: ignore[misc]
        assert isinstance(error, Misconfigured)
        assert (error.code, error.setting) == ("vapi_not_there", "VAPI_BASE_URL")


def test_the_calls_of_a_day_come_without_anybody_s_number(vapi: Vapi, vendor: Vendor) -> None:
    vendor.answers(
        Answer(
            body=[
                call("c3", type="webCall", status="queued", startedAt=None, endedAt=None, phoneCallProviderId=None),
                call("c2", type="outboundPhoneCall", status="in-progress", endedAt=None),
                call("c1"),
            ]
        )
    )
    calls = list(vapi.calls(SINCE, UNTIL))
    begun = datetime(2026, 11, 23, 10, 0, 5, tzinfo=UTC)
    assert calls == [
        Carried("c3", datetime(2026, 11, 23, 10, tzinfo=UTC), None, None, "queued", ended=False),
        Carried("c2", begun, None, "outbound", "in-progress", ended=False, carrier_ref="CA1"),
        Carried("c1", begun, Decimal("60.25"), "inbound", "ended", ended=True, carrier_ref="CA1"),
    ]
    assert says_nothing_of_anybody(calls)
    [asked] = vendor.asked
    assert asked.path == "/call"
    assert asked.query == {
        "createdAtGe": ["2026-11-23T00:00:00Z"],
        "createdAtLt": ["2026-11-24T00:00:00Z"],
        "limit": ["100"],
    }


def test_calls_of_one_moment_at_a_page_s_edge_are_neither_lost_nor_named_twice(vapi: Vapi, vendor: Vendor) -> None:
    edge = "2026-11-23T09:00:00.123Z"
    newest = [call(f"n{number}", f"2026-11-23T10:00:{number % 60:02}Z") for number in range(98)]
    vendor.answers(
        Answer(body=[*newest, call("e1", edge), call("e2", edge)]),
        Answer(body=[call("e1", edge), call("e2", edge), call("e3", edge), call("old", "2026-11-23T08:00:00Z")]),
    )
    refs = [each.ref for each in vapi.calls(SINCE, UNTIL)]
    assert refs == [*(each["id"] for each in newest), "e1", "e2", "e3", "old"]
    assert vendor.asked[1].query["createdAtLe"] == ["2026-11-23T09:00:00.123000Z"]


def test_a_page_full_of_one_moment_is_not_taken_for_the_end(vapi: Vapi, vendor: Vendor) -> None:
    vendor.answers(Answer(body=[call(f"c{number}") for number in range(module.PAGE)]))
    error = failure_of(lambda: list(vapi.calls(SINCE, UNTIL)))
    assert (type(error), error.code) == (TryAgain, "vapi_endless")
    assert len(vendor.asked) == 2


def test_a_call_that_ended_before_it_began_has_no_length(vapi: Vapi, vendor: Vendor) -> None:
    vendor.answers(Answer(body=[call("c1", endedAt="2026-11-23T09:00:00Z")]))
    assert [each.seconds for each in vapi.calls(SINCE, UNTIL)] == [None]


@pytest.mark.parametrize("wrong", [{"createdAt": "Marigold"}, {"id": CALLER}, {"status": CALLER}])
def test_a_call_that_is_none_is_not_counted(vapi: Vapi, vendor: Vendor, wrong: dict[str, Any]) -> None:
    vendor.answers(Answer(body=[call("c1") | wrong]))
    error = failure_of(lambda: list(vapi.calls(SINCE, UNTIL)))
    assert (type(error), error.code) == (TryAgain, "vapi_garbled")
    assert_says_nothing_of(error, *SECRETS)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, GiveUp, "vapi_refused"),
        (401, Misconfigured, "vapi_key_refused"),
        (402, Misconfigured, "vapi_out_of_credit"),
        (403, Misconfigured, "vapi_key_refused"),
        (409, TryAgain, "vapi_unready"),
        (308, Misconfigured, "vapi_not_there"),
    ],
)
def test_what_a_refusal_means(vapi: Vapi, vendor: Vendor, status: int, kind: type[JobError], code: str) -> None:
    vendor.answers(refusal(status, f"Marigold {CALLER}"))
    error = failure_of(lambda: vapi.delete("call", "c1"))
    assert (type(error), error.code) == (kind, code)
    assert len(vendor.asked) == 1
    assert_says_nothing_of(error, *SECRETS)


@pytest.mark.parametrize("ref", ["", "c1/..", CALLER, "c1?x=1", ".."])
def test_what_is_no_id_reaches_no_path(vapi: Vapi, vendor: Vendor, ref: str) -> None:
    assert failure_of(lambda: vapi.delete("call", ref)).code == "vapi_ref_malformed"
    assert failure_of(lambda: vapi.delete_many(["c1", ref])).code == "vapi_ref_malformed"
    assert vendor.asked == []


def test_a_kind_of_copy_that_vapi_does_not_keep_is_our_mistake(vapi: Vapi) -> None:
    with pytest.raises(ValueError, match="Vapi keeps no message"):
        vapi.delete("message", "m1")


def test_a_good_key_is_told_by_the_list_of_calls(vapi: Vapi, vendor: Vendor) -> None:
    vendor.answers(Answer(body=[]))
    vapi.check()
    assert vendor.asked[0].query == {"limit": ["1"]}
