"""Real recognition of real sound: what the demo does instead of sending calls to Deepgram."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox import samples
from sandbox.vendors import deepgram
from sandbox.vendors.audio import decode
from sandbox.vendors.recogniser import MODEL_PACKAGE, load
from tests.sandbox.recordings import silence, tone, wav

KEY = {"authorization": "Token sandbox"}

pytest.importorskip("faster_whisper", reason="the speech extra is not installed")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with deepgram.start(recogniser="whisper") as base:
        yield base


def transcribe(url: str, recording: bytes) -> Any:
    wishes = {"model": "nova-3", "multichannel": "true", "utterances": "true", "punctuate": "true"}
    answer = httpx.post(f"{url}/v1/listen", params=wishes, content=recording, headers=KEY, timeout=60)
    return answer.raise_for_status().json()


def test_the_model_is_the_file_that_was_examined() -> None:
    assert load("whisper").name == "faster-whisper tiny.en"


def test_the_package_that_carries_the_model_is_never_imported(url: str) -> None:
    import sys

    assert MODEL_PACKAGE.replace("-", "_") not in sys.modules


def test_no_words_are_heard_in_silence_nor_in_a_tone(url: str) -> None:
    heard = transcribe(url, wav(silence(3), tone(3)))
    assert [channel["alternatives"][0]["transcript"] for channel in heard["results"]["channels"]] == ["", ""]


def test_a_sample_call_is_really_understood(url: str) -> None:
    sample = next(one for one in samples.calls() if one.lead.name and one.lead.phone)
    recording = sample.audio.read_bytes()
    heard = transcribe(url, recording)
    utterances = heard["results"]["utterances"]
    caller = " ".join(one["transcript"] for one in utterances if one["channel"] == 0)
    agent = " ".join(one["transcript"] for one in utterances if one["channel"] == 1)
    assert str(sample.lead.name) in caller
    assert (sample.lead.phone or "")[-7:] in "".join(filter(str.isdecimal, caller))
    assert "how can i help" in agent.lower()
    assert [one["start"] for one in utterances] == sorted(one["start"] for one in utterances)
    assert heard["metadata"]["duration"] == pytest.approx(decode(recording).seconds, abs=0.01)
    # Asked again, it remembers: a job that is run twice costs the recogniser nothing.
    again = transcribe(url, recording)
    assert again["results"]["channels"] == heard["results"]["channels"]
    assert again["metadata"]["request_id"] != heard["metadata"]["request_id"]


def test_the_light_recogniser_hears_no_words_in_silence() -> None:
    pytest.importorskip("pocketsphinx", reason="the light recogniser is not installed")
    light = load("pocketsphinx")
    assert light.hear(silence(2), 8_000) == []
    assert light.name == "pocketsphinx en-us"
