"""Deepgram: what we send, and what becomes of each thing that may come back."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from providers.deepgram import Deepgram, Heard, Segment
from tests.providers.scripted import Answer, Vendor
from tests.providers.traces import assert_says_nothing_of, failure_of

URL = "https://bucket.example/rec/1.wav?X-Amz-Signature=5ec2e7"
SECRETS = (URL, "5ec2e7", "k-secret", "Marigold")


def utterance(start: float, channel: int, text: str, speaker: int | None = 0) -> dict[str, Any]:
    return {
        "start": start,
        "end": start + 1.5,
        "confidence": 0.98,
        "channel": channel,
        "transcript": text,
        "words": [],
        "speaker": speaker,
        "id": "fbe9e08c",
    }


def channel(text: str, confidence: float = 0.9) -> dict[str, Any]:
    said = {"transcript": text, "confidence": confidence, "words": [], "languages": ["en"] if text else []}
    return {"alternatives": [said]}


def reply(channels: list[dict[str, Any]], utterances: list[dict[str, Any]] | None) -> dict[str, Any]:
    return {
        "metadata": {
            "transaction_key": "deprecated",
            "request_id": "2479c8c8-8185-40ac-9ac6-f0874419f793",
            "sha256": "154e",
            "created": "2026-11-23T05:00:00.000Z",
            "duration": 25.933313,
            "channels": len(channels),
            "models": ["30089e05"],
            "model_info": {"30089e05": {"name": "general-nova-3", "version": "v", "arch": "nova-3"}},
        },
        "results": {"channels": channels} | ({} if utterances is None else {"utterances": utterances}),
    }


TALK = reply(
    [channel("Bright Dental, good morning. Goodbye.", 0.9), channel("Hi, it's Marigold.", 0.7)],
    [
        utterance(0.08, 0, "Bright Dental, good morning."),
        utterance(9.5, 0, "Goodbye."),
        utterance(3.2, 1, "Hi, it's Marigold.", None),
    ],
)
SILENCE = reply([channel("", 0.0), channel("", 0.0)], [])


@pytest.fixture
def deepgram(vendor: Vendor) -> Deepgram:
    return Deepgram(api_key="k-secret", base_url=vendor.url + "/", timeout=5.0)


def test_a_recording_becomes_segments_in_the_order_of_time(deepgram: Deepgram, vendor: Vendor) -> None:
    vendor.answers(Answer(body=TALK))
    assert deepgram.transcribe(URL, tag="business-1") == Heard(
        text="Bright Dental, good morning.\nHi, it's Marigold.\nGoodbye.",
        segments=(
            Segment(0, 0, 0.08, 1.58, "Bright Dental, good morning."),
            Segment(1, None, 3.2, 4.7, "Hi, it's Marigold."),
            Segment(0, 0, 9.5, 11.0, "Goodbye."),
        ),
        seconds=Decimal("25.933"),
        language="en",
        confidence=0.8,
        request_ref="2479c8c8-8185-40ac-9ac6-f0874419f793",
    )


def test_every_request_opts_out_of_training_and_names_its_channels(deepgram: Deepgram, vendor: Vendor) -> None:
    vendor.answers(Answer(body=TALK))
    deepgram.transcribe(URL, tag="business-1")
    [asked] = vendor.asked
    assert (asked.method, asked.path) == ("POST", "/v1/listen")
    assert asked.headers["authorization"] == "Token k-secret"
    assert asked.json == {"url": URL}
    assert asked.query == {
        "model": ["nova-3"],
        "language": ["multi"],
        "multichannel": ["true"],
        "diarize": ["true"],
        "utterances": ["true"],
        "smart_format": ["true"],
        "punctuate": ["true"],
        "mip_opt_out": ["true"],
        "tag": ["business-1"],
    }


def test_silence_is_an_empty_text_and_no_error(deepgram: Deepgram, vendor: Vendor) -> None:
    vendor.answers(Answer(body=SILENCE))
    said = deepgram.transcribe(URL, tag="t")
    assert (said.text, said.segments, said.language, said.confidence) == ("", (), None, None)
    assert said.seconds == Decimal("25.933")


def test_words_without_utterances_are_a_segment_a_channel(deepgram: Deepgram, vendor: Vendor) -> None:
    vendor.answers(Answer(body=reply([channel("Hello."), channel("")], None)))
    assert deepgram.transcribe(URL, tag="t").segments == (Segment(0, None, 0.0, 25.933313, "Hello."),)


def test_what_is_odd_beside_the_words_does_not_lose_the_words(deepgram: Deepgram, vendor: Vendor) -> None:
    odd = reply([channel("Hi\x00 there.", 7.5)], [utterance(0.0, 0, "Hi\x00 there.", -3)])
    odd["results"]["channels"][0]["alternatives"][0]["languages"] = ["<b>"]
    vendor.answers(Answer(body=odd))
    said = deepgram.transcribe(URL, tag="t")
    assert said.text == "Hi there."
    assert (said.language, said.confidence, said.segments[0].speaker) == (None, None, None)


def refusal(code: str, message: str) -> dict[str, str]:
    return {"err_code": code, "err_msg": f"{message} {URL} Marigold", "request_id": "r"}


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Answer(400, refusal("REMOTE_CONTENT_ERROR", "client error: 403")), TryAgain, "audio_unreachable"),
        (
            Answer(400, refusal("Bad Request", "failed to process audio: corrupt or unsupported data")),
            GiveUp,
            "audio_unreadable",
        ),
        (Answer(400, refusal("Bad Request", "no such parameter")), GiveUp, "deepgram_refused"),
        (Answer(413, refusal("PAYLOAD", "too large")), GiveUp, "deepgram_refused"),
        (Answer(401, refusal("INVALID_AUTH", "Invalid credentials.")), Misconfigured, "deepgram_key_refused"),
        (Answer(403, refusal("INSUFFICIENT_PERMISSIONS", "no")), Misconfigured, "deepgram_key_refused"),
        (Answer(402, refusal("ASR_PAYMENT_REQUIRED", "no")), Misconfigured, "deepgram_out_of_credit"),
        (Answer(404, "<h1>Marigold</h1>", kind="text/html"), Misconfigured, "deepgram_not_there"),
        (Answer(307, "", {"location": "https://elsewhere.invalid/"}), Misconfigured, "deepgram_not_there"),
    ],
)
def test_what_a_refusal_means(
    deepgram: Deepgram, vendor: Vendor, answer: Answer, kind: type[JobError], code: str
) -> None:
    vendor.answers(answer)
    error = failure_of(lambda: deepgram.transcribe(URL, tag="t"))
    assert (type(error), error.code) == (kind, code)
    assert len(vendor.asked) == 1
    assert_says_nothing_of(error, *SECRETS)


def test_a_pause_is_as_long_as_asked(deepgram: Deepgram, vendor: Vendor) -> None:
    vendor.answers(Answer(429, refusal("TOO_MANY_REQUESTS", "slow"), {"Retry-After": "7"}))
    error = failure_of(lambda: deepgram.transcribe(URL, tag="t"))
    assert isinstance(error, RateLimited)
    assert error.retry_after == 7.0


def test_a_good_key_passes_the_check(deepgram: Deepgram, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"projects": [{"project_id": "p1", "name": "Nexara"}]}))
    deepgram.check()
    [asked] = vendor.asked
    assert (asked.method, asked.path) == ("GET", "/v1/projects")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["metadata", "results", "channels", "alternatives", "transcript", "utterances"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=JSON, status=st.sampled_from([200, 200, 200, 400, 418, 500]))
def test_no_answer_whatever_raises_anything_but_ours(
    deepgram: Deepgram, vendor: Vendor, body: Any, status: int
) -> None:
    vendor.answers(Answer(status, {"metadata": TALK["metadata"], "results": body}), Answer(status, body))
    for _ in range(2):
        try:
            assert isinstance(deepgram.transcribe(URL, tag="t"), Heard)
        except JobError as error:
            assert_says_nothing_of(error, URL)
