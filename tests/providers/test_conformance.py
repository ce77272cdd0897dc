"""What every vendor's file promises alike: what can go wrong has its class, and leaves no trace of a person."""

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from time import monotonic
from uuid import UUID

import pytest

from ledger.clock import now
from ledger.errors import JobError, RateLimited, TryAgain
from providers.anthropic import Anthropic
from providers.deepgram import Deepgram
from providers.elevenlabs import ElevenLabs
from providers.google import Access, Google
from providers.lemon_squeezy import LemonSqueezy
from providers.resend import Resend
from providers.s3 import Objects
from providers.supabase import Supabase
from providers.telnyx import Telnyx
from providers.twilio import Twilio
from providers.vapi import Vapi
from providers.whatsapp import WhatsApp
from tests.providers.scripted import Answer, Vendor
from tests.providers.traces import assert_says_nothing_of, failure_of

SECRETS = ("Marigold", "marigold", "900318", "k-secret", "s-secret", "5ec2e7")
PATIENCE = 0.4
TEXT = "Caller: This is Marigold on 07700 900318."
URL = "https://b.example/marigold.wav?X-Amz-Signature=5ec2e7"
TO = "owner@marigold.example"
OBJECT = "b_1/marigold.wav"
DAY = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)
WAITS = {"timeout": PATIENCE, "media_timeout": PATIENCE}
THING, ITEM, TOKEN, USER = "marigold", "900318", "s-secret", UUID(int=0x5EC2E7)


@dataclass(frozen=True)
class Way:
    """One way to ask a vendor, given its address; `word` begins its codes."""

    word: str
    ask: Callable[[str], object]
    json: bool = True
    kind: str = "application/json"

    @property
    def name(self) -> str:
        return f"{self.word}-{self.ask.__name__}"


@cache
def deepgram(url: str) -> Deepgram:
    return Deepgram(api_key="k-secret", base_url=url, timeout=PATIENCE)


@cache
def anthropic(url: str) -> Anthropic:
    return Anthropic(api_key="k-secret", base_url=url, model="claude-haiku-5-5", timeout=PATIENCE)


@cache
def resend(url: str) -> Resend:
    return Resend(api_key="k-secret", base_url=url, sender="a@nexara.example", timeout=PATIENCE)


@cache
def objects(url: str) -> Objects:
    keys = {"access_key": "k", "secret_key": "s-secret"}
    return Objects(endpoint=url, region="eu", **keys, bucket="recordings", timeout=PATIENCE)


@cache
def twilio(url: str) -> Twilio:
    return Twilio(account_sid="AC1", api_key="SK1", api_secret="s-secret", base_url=url, **WAITS)


@cache
def telnyx(url: str) -> Telnyx:
    return Telnyx(api_key="k-secret", base_url=url, **WAITS)


@cache
def vapi(url: str) -> Vapi:
    return Vapi(api_key="k-secret", base_url=url, **WAITS)


@cache
def elevenlabs(url: str) -> ElevenLabs:
    return ElevenLabs(api_key="k-secret", base_url=url, **WAITS)


@cache
def meta(url: str) -> WhatsApp:
    return WhatsApp.meta(access_token="k-secret", base_url=f"{url}/v24.0", timeout=PATIENCE)


@cache
def dialog360(url: str) -> WhatsApp:
    return WhatsApp.dialog360(api_key="k-secret", base_url=url, timeout=PATIENCE)


@cache
def google(url: str) -> Google:
    addresses = {"base_url": url, "oauth_base_url": url}
    return Google(client_id="nexara", client_secret="k-secret", **addresses, timeout=PATIENCE)


@cache
def supabase(url: str) -> Supabase:
    return Supabase(secret_key="k-secret", base_url=url, timeout=PATIENCE)


@cache
def lemon_squeezy(url: str) -> LemonSqueezy:
    return LemonSqueezy(api_key="k-secret", base_url=url, timeout=PATIENCE)


VOICES = {"twilio": (twilio, "RE1"), "telnyx": (telnyx, "r1"), "vapi": (vapi, "c1"), "elevenlabs": (elevenlabs, "c1")}


def asking_voice(word: str) -> list[Way]:
    """Return what each of those who carry calls is asked for."""
    client, ref = VOICES[word]

    def fetch_recording(url: str) -> object:
        return client(url).fetch_recording(ref, lambda _: None)

    def delete(url: str) -> object:
        return client(url).delete("recording", ref)

    def gone(url: str) -> object:
        return client(url).gone("recording", ref)

    def calls(url: str) -> object:
        return list(client(url).calls(*DAY))

    # What ElevenLabs answers to a deletion is not known, so any good answer is taken, and read back what it did.
    told = word != "elevenlabs"
    return [
        Way(word, fetch_recording, json=False, kind="audio/mpeg")
        if word == "elevenlabs"
        else Way(word, fetch_recording),
        Way(word, delete, json=told),
        Way(word, gone),
        Way(word, calls),
    ]


def transcribe(url: str) -> object:
    return deepgram(url).transcribe(URL, tag="b_1")


def summarize(url: str) -> object:
    return anthropic(url).summarize(TEXT, channel="call")


def extract(url: str) -> object:
    return anthropic(url).extract_lead(TEXT, today=date(2026, 11, 23), zone="UTC", country="GB")


def send(url: str) -> object:
    return resend(url).send(to=TO, subject=TEXT, text=TEXT, html=TEXT, idempotency_key="alert/1")


def has_contact(url: str) -> object:
    return resend(url).has_contact(TO)


def delete_contact(url: str) -> object:
    return resend(url).delete_contact(TO)


def download(url: str) -> object:
    return meta(url).download(THING)


def delete_media(url: str) -> object:
    return meta(url).delete_media(THING, number=ITEM)


def download_there(url: str) -> object:
    return dialog360(url).download(THING)


def delete_media_there(url: str) -> object:
    return dialog360(url).delete_media(THING)


def refresh(url: str) -> object:
    return google(url).refresh(TOKEN)


def has_event(url: str) -> object:
    return google(url).has_event(Access(TOKEN, 1), THING, calendar=TO)


def delete_event(url: str) -> object:
    return google(url).delete_event(Access(TOKEN, 1), THING, calendar=TO)


def has_user(url: str) -> object:
    return supabase(url).has_user(USER)


def subscription(url: str) -> object:
    return lemon_squeezy(url).subscription(ITEM)


def usage_records(url: str) -> object:
    return lemon_squeezy(url).usage_records(ITEM)


def report_usage(url: str) -> object:
    return lemon_squeezy(url).report_usage(ITEM, 3, period_start=now())


def get(url: str) -> object:
    return objects(url).get(OBJECT)


WAYS = [
    Way("deepgram", transcribe),
    Way("anthropic", summarize),
    Way("anthropic", extract),
    Way("resend", send),
    Way("resend", has_contact),
    Way("resend", delete_contact),
    *(way for word in VOICES for way in asking_voice(word)),
    Way("meta", download),
    Way("meta", delete_media),
    Way("dialog360", download_there),
    Way("dialog360", delete_media_there),
    Way("google", refresh),
    Way("google", has_event),
    Way("google", delete_event),
    Way("supabase", has_user),
    Way("lemon_squeezy", subscription),
    Way("lemon_squeezy", usage_records),
    Way("lemon_squeezy", report_usage),
    Way("s3", get, json=False),
]
ECHO = {
    "err_code": "Marigold",
    "err_msg": TEXT,
    "name": "Marigold",
    "message": TEXT,
    "error": {"type": "Marigold", "message": TEXT},
}

every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
every_way_of_json = pytest.mark.parametrize("way", [way for way in WAYS if way.json], ids=lambda way: way.name)


def failed(way: Way, vendor: Vendor, answer: Answer) -> JobError:
    """Ask once, and return the failure, which was asked for once and tells nothing."""
    vendor.answers(answer)
    error = failure_of(lambda: way.ask(vendor.url))
    assert len(vendor.asked) == 1
    assert_says_nothing_of(error, *SECRETS)
    assert error.code.startswith(way.word)
    return error


@every_way
@pytest.mark.parametrize("status", [500, 502, 503, 504, 529])
@pytest.mark.parametrize("body", [ECHO, "<h1>Marigold</h1>", ""])
def test_a_vendor_that_is_down_is_tried_again(way: Way, vendor: Vendor, status: int, body: object) -> None:
    kind = "application/json" if isinstance(body, dict) else "text/html"
    error = failed(way, vendor, Answer(status, body, kind=kind))
    assert (type(error), error.code) == (TryAgain, f"{way.word}_down")


@every_way_of_json
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<html><body>Marigold</body></html>", "text/html"),
        ('{"metadata": {"request_id": "Marigold", "dura', "application/json"),
        ("", "application/json"),
        ("null", "application/json"),
        ('"Marigold"', "application/json"),
        ("{}", "application/json"),
        ("\x00\ufffd", "application/json"),
    ],
)
def test_a_good_status_with_a_wrong_body_is_tried_again(way: Way, vendor: Vendor, body: str, kind: str) -> None:
    error = failed(way, vendor, Answer(200, body, kind=kind))
    assert isinstance(error, TryAgain)
    assert error.code in {f"{way.word}_garbled", f"{way.word}_failed"}


@every_way
def test_a_connection_that_breaks_is_tried_again(way: Way, vendor: Vendor) -> None:
    error = failed(way, vendor, Answer(how="reset"))
    assert (type(error), error.code) == (TryAgain, f"{way.word}_unreachable")


@every_way
def test_an_answer_cut_in_half_is_tried_again(way: Way, vendor: Vendor) -> None:
    error = failed(way, vendor, Answer(body=ECHO, kind=way.kind, how="half"))
    assert (type(error), error.code) == (TryAgain, f"{way.word}_unreachable")


@every_way
def test_a_vendor_that_says_nothing_is_tried_again_in_time(way: Way, vendor: Vendor) -> None:
    began = monotonic()
    error = failed(way, vendor, Answer(how="never"))
    assert (type(error), error.code) == (TryAgain, f"{way.word}_timeout")
    assert monotonic() - began < 5 * PATIENCE + 2.5  # the anthropic SDK takes long to import


@every_way
def test_a_vendor_that_drips_is_tried_again_in_time(way: Way, vendor: Vendor) -> None:
    error = failed(way, vendor, Answer(body=b" " * 200, kind=way.kind, how="drip"))
    assert isinstance(error, TryAgain)
    assert error.code in {f"{way.word}_timeout", f"{way.word}_unreachable"}


@every_way
def test_nobody_at_the_address_is_tried_again(way: Way) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = failure_of(lambda: way.ask(f"http://127.0.0.1:{port}"))
    assert (type(error), error.code) == (TryAgain, f"{way.word}_unreachable")
    assert_says_nothing_of(error, *SECRETS)


def limited(way: Way, pause: str | None) -> Answer:
    headers = {} if pause is None else {"Retry-After": pause}
    if way.word == "s3":
        slow = "<Error><Code>SlowDown</Code><Message>Marigold</Message></Error>"
        return Answer(503, slow, headers, "text/xml")
    return Answer(429, ECHO, headers)


@every_way
@pytest.mark.parametrize(
    ("pause", "seconds"),
    [(None, None), ("30", 30.0), ("0", 0.0), ("1.5", 1.5), ("86400", 900.0), ("soon", None), ("-1", None), ("", None)],
)
def test_a_pause_is_as_long_as_the_vendor_says(
    way: Way, vendor: Vendor, pause: str | None, seconds: float | None
) -> None:
    error = failed(way, vendor, limited(way, pause))
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


@every_way
def test_a_pause_may_be_a_date(way: Way, vendor: Vendor) -> None:
    error = failed(way, vendor, limited(way, format_datetime(now() + timedelta(seconds=60), usegmt=True)))
    assert isinstance(error, RateLimited)
    assert error.retry_after == pytest.approx(60, abs=5)


@every_way
def test_no_log_at_any_level_tells_who_called(way: Way, vendor: Vendor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    failed(way, vendor, Answer(500, ECHO))
    for secret in SECRETS:
        assert secret not in caplog.text
