"""ElevenLabs: what is asked of it, and what becomes of each thing that may come back."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ledger.errors import GiveUp, JobError, Misconfigured, TryAgain
from providers.copies import Asked, Gone
from providers.elevenlabs import ElevenLabs
from providers.voice import Carried, Fetched
from tests.providers.scripted import Answer, Vendor
from tests.providers.traces import assert_says_nothing_of, failure_of
from tests.providers.voices import CALLER, SECRETS, SINCE, SOUND, UNTIL, Sink, says_nothing_of_anybody

TEN = int(datetime(2026, 11, 23, 10, tzinfo=UTC).timestamp())
CONVERSATION = "/v1/convai/conversations/c1"


def refusal(status: int, told: str = "conversation_not_found") -> Answer:
    return Answer(status, {"detail": {"status": told, "message": f"Marigold {CALLER}"}})


NO_SUCH = refusal(404)


def conversation(id: str, **changes: Any) -> dict[str, Any]:  # noqa: A002
    return {
        "conversation_id": id,
        "agent_id": "agent_1",
        "agent_name": "Marigold",
        "start_time_unix_secs": TEN,
        "call_duration_secs": 61,
        "status": "done",
        "direction": "inbound",
        "transcript_summary": f"Marigold called from {CALLER}",
        "call_successful": "success",
        "message_count": 2,
    } | changes


def listed(*conversations: dict[str, Any], following: str | None = None) -> Answer:
    more = {"has_more": following is not None, "next_cursor": following}
    return Answer(body={"conversations": list(conversations), **more})


@pytest.fixture
def elevenlabs(vendor: Vendor) -> ElevenLabs:
    return ElevenLabs(api_key="k-secret", base_url=vendor.url + "/", timeout=5.0)


def test_a_recording_is_written_as_it_comes(elevenlabs: ElevenLabs, vendor: Vendor) -> None:
    vendor.answers(Answer(body=SOUND, kind="audio/mpeg"))
    sink = Sink()
    assert elevenlabs.fetch_recording("c1", sink.append) == Fetched(len(SOUND), "audio/mpeg")
    assert sink.whole == SOUND
    [asked] = vendor.asked
    assert (asked.method, asked.path) == ("GET", f"{CONVERSATION}/audio")
    assert asked.headers["xi-api-key"] == "k-secret"


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (NO_SUCH, GiveUp, "elevenlabs_missing"),
        (Answer(body={"detail": "Marigold"}), TryAgain, "elevenlabs_garbled"),
        (Answer(body=b"", kind="audio/mpeg"), TryAgain, "elevenlabs_garbled"),
        (Answer(body=SOUND, kind="audio/mpeg", how="half"), TryAgain, "elevenlabs_unreachable"),
        (Answer(302, "", {"location": "https://elsewhere.invalid/"}), Misconfigured, "elevenlabs_not_there"),
    ],
)
def test_a_recording_that_cannot_be_had_whole_says_why(
    elevenlabs: ElevenLabs, vendor: Vendor, answer: Answer, kind: type[JobError], code: str
) -> None:
    vendor.answers(answer)
    error = failure_of(lambda: elevenlabs.fetch_recording("c1", lambda _: None))
    assert (type(error), error.code) == (kind, code)
    assert_says_nothing_of(error, *SECRETS)


@pytest.mark.parametrize(
    ("what", "path", "name"),
    [
        ("call", CONVERSATION, "conversation_id"),
        ("conversation", CONVERSATION, "conversation_id"),
        ("recording", CONVERSATION, "conversation_id"),
        ("transcript", "/v1/speech-to-text/transcripts/c1", "transcription_id"),
        ("speech", "/v1/history/c1", "history_item_id"),
    ],
)
def test_each_kind_of_copy_is_deleted_and_read_back_at_its_own_place(
    elevenlabs: ElevenLabs, vendor: Vendor, what: str, path: str, name: str
) -> None:
    vendor.answers(Answer(body={"status": "ok"}), Answer(body={name: "c1", "text": "Hello."}), NO_SUCH, NO_SUCH)
    assert elevenlabs.delete(what, "c1") == Gone()
    assert elevenlabs.gone(what, "c1") is False
    assert elevenlabs.gone(what, "c1") is True
    assert elevenlabs.delete(what, "c1") == Gone()
    assert [asked.method for asked in vendor.asked] == ["DELETE", "GET", "GET", "DELETE"]
    assert {asked.path for asked in vendor.asked} == {path}


@pytest.mark.parametrize("told", ["history_item_not_found", "document_does_not_exist"])
def test_a_400_that_says_there_is_none_means_that_there_is_none(
    elevenlabs: ElevenLabs, vendor: Vendor, told: str
) -> None:
    vendor.answers(refusal(400, told))
    assert elevenlabs.delete("speech", "s1") == Gone()
    assert elevenlabs.gone("speech", "s1") is True


def test_a_deletion_that_is_merely_accepted_is_still_to_be_read_back(elevenlabs: ElevenLabs, vendor: Vendor) -> None:
    vendor.answers(Answer(202, {}))
    assert elevenlabs.delete("conversation", "c1") == Asked()


@pytest.mark.parametrize(
    "answer", [Answer(404, "<h1>nginx</h1>", kind="text/html"), Answer(404, {"detail": "Not Found"})]
)
def test_somebody_else_s_404_is_no_proof_that_a_copy_is_gone(
    elevenlabs: ElevenLabs, vendor: Vendor, answer: Answer
) -> None:
    vendor.answers(answer)
    for ask in (elevenlabs.delete, elevenlabs.gone):
        error = failure_of(lambda ask=ask: ask("conversation", "c1"))  # type: ignore[misc]
        assert isinstance(error, Misconfigured)
        assert (error.code, error.setting) == ("elevenlabs_not_there", "ELEVENLABS_BASE_URL")


def test_an_answer_about_something_else_does_not_say_whether_it_is_gone(elevenlabs: ElevenLabs, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"conversation_id": "c2"}))
    assert failure_of(lambda: elevenlabs.gone("conversation", "c1")).code == "elevenlabs_garbled"


def test_the_calls_of_a_day_come_page_by_page_without_anybody_s_number(elevenlabs: ElevenLabs, vendor: Vendor) -> None:
    vendor.answers(
        listed(conversation("c1"), conversation("c2", status="in-progress", direction="outbound"), following="next"),
        listed(
            conversation("c3", status="failed", direction=None, call_duration_secs=0),
            conversation("c4", start_time_unix_secs=int(UNTIL.timestamp())),
            conversation("c5", start_time_unix_secs=int(SINCE.timestamp()) - 1),
        ),
    )
    calls = list(elevenlabs.calls(SINCE, UNTIL))
    at = datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert calls == [
        Carried("c1", at, Decimal(61), "inbound", "done", ended=True),
        Carried("c2", at, Decimal(61), "outbound", "in-progress", ended=False),
        Carried("c3", at, Decimal(0), None, "failed", ended=True),
    ]
    assert says_nothing_of_anybody(calls)
    first, second = vendor.asked
    assert first.query == {
        "page_size": ["100"],
        "call_start_after_unix": [str(int(SINCE.timestamp()) - 1)],
        "call_start_before_unix": [str(int(UNTIL.timestamp()) + 1)],
    }
    assert second.query["cursor"] == ["next"]


def test_a_list_that_names_itself_as_its_next_page_is_not_taken_for_a_whole_one(
    elevenlabs: ElevenLabs, vendor: Vendor
) -> None:
    vendor.answers(listed(conversation("c1"), following="next"))
    error = failure_of(lambda: list(elevenlabs.calls(SINCE, UNTIL)))
    assert (type(error), error.code) == (TryAgain, "elevenlabs_endless")
    assert len(vendor.asked) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"conversations": [], "has_more": True, "next_cursor": None},
        {"conversations": [conversation("c1", start_time_unix_secs=-1)], "has_more": False},
        {"conversations": [conversation("c1", call_duration_secs="Marigold")], "has_more": False},
        {"conversations": [conversation(CALLER)], "has_more": False},
    ],
)
def test_a_list_that_is_none_is_not_counted(elevenlabs: ElevenLabs, vendor: Vendor, body: Any) -> None:
    vendor.answers(Answer(body=body))
    error = failure_of(lambda: list(elevenlabs.calls(SINCE, UNTIL)))
    assert (type(error), error.code) == (TryAgain, "elevenlabs_garbled")
    assert_says_nothing_of(error, *SECRETS)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (refusal(400, "bad_request"), GiveUp, "elevenlabs_refused"),
        (refusal(401, "invalid_api_key"), Misconfigured, "elevenlabs_key_refused"),
        (refusal(401, "quota_exceeded"), Misconfigured, "elevenlabs_quota_used"),
        (refusal(402, "payment_required"), Misconfigured, "elevenlabs_out_of_credit"),
        (refusal(403, "missing_permissions"), Misconfigured, "elevenlabs_key_refused"),
        (refusal(409, "conflict"), TryAgain, "elevenlabs_unready"),
        (Answer(422, {"detail": [{"msg": "Marigold"}]}), GiveUp, "elevenlabs_refused"),
    ],
)
def test_what_a_refusal_means(
    elevenlabs: ElevenLabs, vendor: Vendor, answer: Answer, kind: type[JobError], code: str
) -> None:
    vendor.answers(answer)
    error = failure_of(lambda: elevenlabs.delete("conversation", "c1"))
    assert (type(error), error.code) == (kind, code)
    assert len(vendor.asked) == 1
    assert_says_nothing_of(error, *SECRETS)


@pytest.mark.parametrize("ref", ["", "c1/audio", CALLER, "c1?x=1", ".."])
def test_what_is_no_id_reaches_no_path(elevenlabs: ElevenLabs, vendor: Vendor, ref: str) -> None:
    assert failure_of(lambda: elevenlabs.delete("conversation", ref)).code == "elevenlabs_ref_malformed"
    assert vendor.asked == []


def test_a_kind_of_copy_that_elevenlabs_does_not_keep_is_our_mistake(elevenlabs: ElevenLabs) -> None:
    with pytest.raises(ValueError, match="ElevenLabs keeps no message"):
        elevenlabs.delete("message", "m1")


def test_a_good_key_is_told_by_the_subscription(elevenlabs: ElevenLabs, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"tier": "pro", "character_count": 5, "character_limit": 9}))
    elevenlabs.check()
    assert vendor.asked[0].path == "/v1/user/subscription"
