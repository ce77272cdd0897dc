"""The sandbox's Deepgram, asked through Deepgram's own SDK."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from deepgram import DeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment
from deepgram.errors import BadRequestError

from sandbox.vendors import deepgram
from tests.sandbox.recordings import silence, tone, wav

# Deepgram's SDK imports names that its websockets has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")

# The SDK closes no connection by itself.
LINES = httpx.Client()

CALL = wav(tone(4), tone(4, 660))
SCRIPT = {
    hashlib.sha256(CALL).hexdigest(): {
        "turns": [
            {"channel": 1, "start": 0.2, "end": 1.4, "text": "Harbour Dental, how can I help?"},
            {"channel": 0, "start": 2.0, "end": 2.8, "text": "I need an appointment."},
            {"channel": 0, "start": 2.9, "end": 3.6, "text": "On Tuesday, please."},
        ]
    }
}
EVERYTHING: dict[str, Any] = {
    "model": "nova-3",
    "multichannel": True,
    "diarize": True,
    "utterances": True,
    "smart_format": True,
    "punctuate": True,
    "mip_opt_out": True,
    "tag": ["one"],
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with deepgram.start(canned=SCRIPT) as base:
        yield base


@pytest.fixture(autouse=True)
def _forgetful(url: str) -> None:
    httpx.post(f"{url}/_sandbox/reset").raise_for_status()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("bucket")
    (folder / "call.wav").write_bytes(CALL)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *a, **k: Quiet(*a, directory=str(folder), **k)
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module", autouse=True)
def _hung_up() -> Iterator[None]:
    yield
    LINES.close()


def client(url: str, key: str = "sandbox-deepgram", timeout: float = 10) -> DeepgramClient:
    where = DeepgramClientEnvironment(base=url, production=url, agent=url, agent_rest=url)
    return DeepgramClient(api_key=key, environment=where, timeout=timeout, max_retries=0, httpx_client=LINES)


def transcribe(url: str, recording: bytes, **wishes: Any) -> Any:
    return client(url).listen.v1.media.transcribe_file(request=recording, **{**EVERYTHING, **wishes})


def fault(url: str, **what: Any) -> None:
    httpx.post(f"{url}/_sandbox/faults", json=[what]).raise_for_status()


def test_each_channel_is_transcribed_on_its_own(url: str) -> None:
    heard = transcribe(url, CALL)
    transcripts = [channel.alternatives[0].transcript for channel in heard.results.channels]
    assert transcripts == ["I need an appointment. On Tuesday, please.", "Harbour Dental, how can I help?"]
    assert heard.metadata.channels == 2
    assert heard.metadata.duration == 4.0
    assert heard.metadata.sha256 == hashlib.sha256(CALL).hexdigest()


def test_utterances_come_in_the_order_they_were_spoken(url: str) -> None:
    heard = transcribe(url, CALL)
    turns = [(one.channel, one.speaker, one.transcript) for one in heard.results.utterances]
    assert turns == [
        (1, 1, "Harbour Dental, how can I help?"),
        (0, 0, "I need an appointment. On Tuesday, please."),
    ]
    word = heard.results.utterances[0].words[0]
    assert (word.word, word.punctuated_word, word.start, word.speaker) == ("harbour", "Harbour", 0.2, 1)


def test_a_shorter_pause_splits_more(url: str) -> None:
    assert len(transcribe(url, CALL, utt_split=0.05).results.utterances) == 3


def test_what_was_not_asked_for_is_left_out(url: str) -> None:
    plain = {
        "utterances": None,
        "diarize": None,
        "smart_format": None,
        "punctuate": None,
        "multichannel": None,
    }
    heard = transcribe(url, CALL, **plain)
    assert heard.results.utterances is None
    assert len(heard.results.channels) == 1
    word = heard.results.channels[0].alternatives[0].words[0]
    assert word.speaker is None
    assert not hasattr(word, "punctuated_word")


def test_a_recording_is_fetched_from_its_address(url: str, files: str) -> None:
    heard = client(url).listen.v1.media.transcribe_url(url=f"{files}/call.wav", **EVERYTHING)
    assert heard.results.channels[0].alternatives[0].transcript.startswith("I need an appointment")


@pytest.mark.parametrize("address", ["/gone.wav", "http://127.0.0.1:1/refused.wav", "https://example.com/call.wav"])
def test_a_recording_that_cannot_be_fetched_is_said_so(url: str, files: str, address: str) -> None:
    where = files + address if address.startswith("/") else address
    with pytest.raises(BadRequestError) as caught:
        client(url).listen.v1.media.transcribe_url(url=where, **EVERYTHING)
    assert caught.value.body["err_code"] == "REMOTE_CONTENT_ERROR"
    assert caught.value.body["request_id"]


@pytest.mark.parametrize(
    "recording",
    [
        b"",
        b"no recording at all",
        CALL[:20],
        CALL[:44],
        b"RIFF\x00\x00\x00\x00WAVEdata",
        b"\x00" * 5000,
        b"ID3" + b"\xff" * 999,
    ],
    ids=["empty", "text", "half a header", "no samples", "no format", "zeros", "broken mp3"],
)
def test_corrupt_audio_is_a_bad_request(url: str, recording: bytes) -> None:
    with pytest.raises(BadRequestError) as caught:
        transcribe(url, recording)
    assert caught.value.body["err_code"] == "Bad Request"
    assert "corrupt or unsupported data" in caught.value.body["err_msg"]


def test_silence_has_an_empty_transcript(url: str) -> None:
    heard = transcribe(url, wav(silence(), silence()))
    assert [channel.alternatives[0].transcript for channel in heard.results.channels] == ["", ""]
    assert heard.results.utterances == []
    assert heard.metadata.duration == 2.0


def test_a_recording_without_a_script_always_says_the_same(url: str) -> None:
    first, second = transcribe(url, wav(tone(3))), transcribe(url, wav(tone(3)))
    assert first.results.channels[0].alternatives[0].transcript
    assert first.results.channels == second.results.channels
    assert first.metadata.request_id != second.metadata.request_id


def test_a_key_that_is_not_the_sandbox_s_is_refused(url: str) -> None:
    with pytest.raises(ApiError) as caught:
        client(url, key="0123456789abcdef").listen.v1.media.transcribe_file(request=CALL)
    assert caught.value.status_code == 401
    assert caught.value.body["err_code"] == "INVALID_AUTH"


def test_an_unknown_model_is_refused(url: str) -> None:
    with pytest.raises(BadRequestError):
        transcribe(url, CALL, model="no-such-model")


def test_projects_can_be_listed(url: str) -> None:
    assert client(url).manage.v1.projects.list().projects[0].name == "sandbox"


def test_every_answer_says_it_is_the_sandbox(url: str) -> None:
    for path in ("/v1/listen", "/v1/projects", "/nowhere", "/_sandbox/requests"):
        assert httpx.get(f"{url}{path}").headers["x-sandbox"] == "true"


def test_requests_are_kept_without_their_keys(url: str) -> None:
    transcribe(url, CALL)
    kept = httpx.get(f"{url}/_sandbox/requests").json()
    assert kept["count"] == 1
    request = kept["requests"][0]
    assert (request["method"], request["path"], request["bytes"]) == ("POST", "/v1/listen", len(CALL))
    assert request["query"]["mip_opt_out"] == ["true"]
    assert "sandbox-deepgram" not in str(kept)
    assert request["headers"]["user-agent"].startswith("deepgram-sdk/")


def test_a_rate_limit_says_when_and_is_over_after_one_answer(url: str) -> None:
    fault(url, status=429, headers={"retry-after": "2"})
    with pytest.raises(ApiError) as caught:
        transcribe(url, CALL)
    assert caught.value.status_code == 429
    assert (caught.value.headers or {})["retry-after"] == "2"
    assert caught.value.body["err_code"] == "TOO_MANY_REQUESTS"
    assert transcribe(url, CALL).metadata.channels == 2


def test_an_answer_can_be_cut_in_half(url: str) -> None:
    fault(url, cut=True)
    with pytest.raises(httpx.RemoteProtocolError):
        transcribe(url, CALL)


def test_an_answer_can_be_a_web_page(url: str) -> None:
    fault(url, html=True)
    with pytest.raises(ApiError) as caught:
        transcribe(url, CALL)
    assert caught.value.status_code == 200


def test_a_connection_can_be_reset(url: str) -> None:
    fault(url, reset=True)
    with pytest.raises(httpx.ReadError):
        transcribe(url, CALL)


def test_an_answer_can_come_too_late(url: str) -> None:
    fault(url, delay=20)
    with pytest.raises(httpx.ReadTimeout):
        client(url, timeout=0.3).listen.v1.media.transcribe_file(request=CALL)


def test_a_fault_nobody_knows_is_refused(url: str) -> None:
    answer = httpx.post(f"{url}/_sandbox/faults", json=[{"explode": True}])
    assert answer.status_code == 400
    assert answer.json()["problems"][0]["loc"] == [0, "explode"]


def test_scripts_are_read_from_a_folder(tmp_path: Path) -> None:
    sha256 = hashlib.sha256(CALL).hexdigest()
    (tmp_path / f"{sha256}.json").write_text('{"turns": [{"text": "Hello from the folder."}]}')
    with deepgram.start(canned=tmp_path) as base:
        heard = transcribe(base, CALL)
    assert heard.results.channels[0].alternatives[0].transcript == "Hello from the folder."
