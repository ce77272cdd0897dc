"""Real recognition of real sound: what the demo does instead of sending calls to Deepgram."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.vendors import deepgram
from sandbox.vendors.audio import decode
from sandbox.vendors.recogniser import MODEL_PACKAGE, load
from tests.sandbox.recordings import silence, tone, wav

SAMPLES = Path(__file__).parents[2] / "sandbox" / "samples" / "audio"
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
    calls = sorted(SAMPLES.glob("*.wav"))
    if not calls:
        pytest.skip("the sample calls are not here yet")
    recording = calls[0].read_bytes()
    heard = transcribe(url, recording)
    assert heard["metadata"]["duration"] == pytest.approx(decode(recording).seconds, abs=0.01)
    assert len(heard["results"]["channels"]) == 2
    spoken = " ".join(one["transcript"].lower() for one in heard["results"]["utterances"])
    assert len(spoken.split()) > 20
    assert "thank you" in spoken
    starts = [one["start"] for one in heard["results"]["utterances"]]
    assert starts == sorted(starts)
    assert {one["channel"] for one in heard["results"]["utterances"]} == {0, 1}


def test_the_light_recogniser_hears_no_words_in_silence() -> None:
    pytest.importorskip("pocketsphinx", reason="the light recogniser is not installed")
    light = load("pocketsphinx")
    assert light.hear(silence(2), 8_000) == []
    assert light.name == "pocketsphinx en-us"
