"""The sandbox's Twilio, Telnyx, Vapi and ElevenLabs: they hold what is put there, and let go of it as they are told."""

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from ledger.errors import GiveUp, Misconfigured, RateLimited, TryAgain
from providers.copies import Asked, Gone, Lapses, Later
from providers.elevenlabs import ElevenLabs
from providers.telnyx import Telnyx
from providers.twilio import Twilio
from providers.vapi import Vapi
from sandbox.vendors import elevenlabs, telnyx, twilio, vapi
from sandbox.vendors.copies import Copies, Copy

SINCE, UNTIL = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)
SOUND = b"RIFF" + bytes(range(256)) * 4000
CALLER = "+442079460999"
SERVERS = {"twilio": twilio, "telnyx": telnyx, "vapi": vapi, "elevenlabs": elevenlabs}
MAKE: dict[str, Callable[..., Any]] = {
    "twilio": lambda url, key, **waits: Twilio(
        account_sid="AC1", api_key=key, api_secret="secret", base_url=url, **waits
    ),
    "telnyx": lambda url, key, **waits: Telnyx(base_url=url, api_key=key, **waits),
    "vapi": lambda url, key, **waits: Vapi(base_url=url, api_key=key, **waits),
    "elevenlabs": lambda url, key, **waits: ElevenLabs(base_url=url, api_key=key, **waits),
}
HELD = {
    "twilio": ("recording", "RE"),
    "telnyx": ("recording", "r"),
    "vapi": ("call", "c"),
    "elevenlabs": ("conversation", "c"),
}
"""What has a sound at each, and how its ids begin."""
LISTED = {"twilio": ("call", "CA"), "telnyx": ("call", "l"), "vapi": ("call", "c"), "elevenlabs": ("conversation", "c")}


@dataclass
class Line:
    """One sandbox server, with our own client to it."""

    name: str
    url: str
    client: Any

    def post(self, what: str, body: Any = None) -> httpx.Response:
        return httpx.post(f"{self.url}/_sandbox/{what}", json=body).raise_for_status()

    def put(self, what: str, ref: str, **more: Any) -> str:
        self.post("copies", [{"what": what, "ref": ref, **more}])
        return ref

    def with_sound(self, number: int = 1, **more: Any) -> tuple[str, str]:
        what, word = HELD[self.name]
        return what, self.put(what, f"{word}{number}", audio=base64.b64encode(SOUND).decode(), **more)

    def fault(self, *faults: Any) -> None:
        self.post("faults", faults)

    @property
    def held(self) -> list[str]:
        return [copy["ref"] for copy in httpx.get(f"{self.url}/_sandbox/copies").json()]


@pytest.fixture(scope="module")
def lines() -> Iterator[dict[str, Line]]:
    with ExitStack() as running:
        urls = {name: running.enter_context(server.start()) for name, server in SERVERS.items()}
        made = {name: Line(name, url, MAKE[name](url, f"sandbox-{name}", timeout=5.0)) for name, url in urls.items()}
        yield made
        for line in made.values():
            line.client.close()


@pytest.fixture(params=SERVERS)
def line(request: pytest.FixtureRequest, lines: dict[str, Line]) -> Line:
    found: Line = lines[request.param]
    found.post("reset")
    return found


@pytest.fixture
def line_of(lines: dict[str, Line]) -> Callable[[str], Line]:
    def of(name: str) -> Line:
        lines[name].post("reset")
        return lines[name]

    return of


def until(held: Callable[[], bool]) -> None:
    """Wait until it holds; ten seconds are long enough for all that is slow here."""
    end = time.monotonic() + 10
    while not held():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_key_made_for_the_sandbox_is_good_and_a_real_one_is_refused(line: Line) -> None:
    line.client.check()
    real = MAKE[line.name](line.url, "real-key")
    with pytest.raises(Misconfigured) as caught:
        real.check()
    assert caught.value.code == f"{line.name}_key_refused"
    real.close()


def test_a_recording_is_fetched_whole(line: Line) -> None:
    _, ref = line.with_sound()
    pieces: list[bytes] = []
    assert line.client.fetch_recording(ref, pieces.append).bytes == len(SOUND)
    assert b"".join(pieces) == SOUND


def test_what_was_deleted_is_not_held_and_cannot_be_fetched(line: Line) -> None:
    what, ref = line.with_sound()
    _, other = line.with_sound(2)
    assert line.client.gone(what, ref) is False
    assert isinstance(line.client.delete(what, ref), Gone | Lapses)
    assert line.client.gone(what, ref) is True
    assert line.client.gone(what, other) is False
    assert line.held == [other]
    with pytest.raises(GiveUp) as caught:
        line.client.fetch_recording(ref, lambda _: None)
    assert caught.value.code == f"{line.name}_missing"
    assert isinstance(line.client.delete(what, ref), Gone | Lapses)


def test_a_deletion_may_be_said_to_have_worked_and_not_have(line: Line) -> None:
    what, ref = line.with_sound(deletes="never")
    line.client.delete(what, ref)
    assert line.client.gone(what, ref) is False


def test_a_deletion_may_come_slowly(line: Line) -> None:
    what, ref = line.with_sound(deletes="slowly", takes=0.4)
    assert line.client.delete(what, ref) == Asked()
    assert line.client.gone(what, ref) is False
    until(lambda: line.client.gone(what, ref))
    assert line.held == []


def test_a_deletion_may_be_accepted_and_nothing_come_of_it(line: Line) -> None:
    what, ref = line.with_sound()
    line.fault({"status": 202, "body": {}})
    assert line.client.delete(what, ref) == Asked()
    assert line.client.gone(what, ref) is False


@pytest.mark.parametrize("retry_after", ["2", None])
def test_a_pause_is_asked_for_and_over_after_one_answer(line: Line, retry_after: str | None) -> None:
    what, ref = line.with_sound()
    line.fault({"status": 429, "headers": {"retry-after": retry_after} if retry_after else {}})
    with pytest.raises(RateLimited) as caught:
        line.client.delete(what, ref)
    assert (caught.value.retry_after, caught.value.vendor) == (retry_after and float(retry_after), line.name)
    assert isinstance(line.client.delete(what, ref), Gone | Lapses)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 500}, "down"),
        ({"status": 503, "unheard": True}, "down"),
        ({"reset": True}, "unreachable"),
        ({"reset": True, "unheard": True}, "unreachable"),
    ],
)
def test_a_bad_day_is_tried_again_and_then_it_is_gone(line: Line, fault: Any, code: str) -> None:
    what, ref = line.with_sound()
    line.fault(fault)
    with pytest.raises(TryAgain) as caught:
        line.client.delete(what, ref)
    assert caught.value.code == f"{line.name}_{code}"
    assert isinstance(line.client.delete(what, ref), Gone | Lapses)
    assert line.client.gone(what, ref) is True


def test_an_answer_cut_in_half_proves_nothing(line: Line) -> None:
    what, ref = line.with_sound()
    line.fault({"cut": True})
    with pytest.raises(TryAgain) as caught:
        line.client.gone(what, ref)
    assert caught.value.code == f"{line.name}_unreachable"


def test_an_answer_that_comes_too_late_is_asked_for_again(line: Line) -> None:
    what, ref = line.with_sound()
    hasty = MAKE[line.name](line.url, f"sandbox-{line.name}", timeout=0.3)
    line.fault({"delay": 20})
    with pytest.raises(TryAgain) as caught:
        hasty.gone(what, ref)
    assert caught.value.code == f"{line.name}_timeout"
    hasty.close()


def test_a_page_of_a_proxy_is_no_answer(line: Line) -> None:
    what, ref = line.with_sound()
    line.fault({"html": True})
    with pytest.raises(TryAgain):
        line.client.gone(what, ref)


def test_the_calls_of_a_day_are_listed_over_several_pages_without_anybody_s_number(line: Line) -> None:
    what, word = LISTED[line.name]
    copies = [
        {
            "what": what,
            "ref": f"{word}{number}",
            "at": (SINCE + timedelta(minutes=number // 3)).isoformat(),
            "seconds": number,
        }
        for number in range(230)
    ]
    outside = [
        {"what": what, "ref": f"{word}out{at:%d}", "at": at.isoformat()} for at in (UNTIL, SINCE - timedelta(seconds=1))
    ]
    line.post("copies", [*copies, *outside])
    calls = list(line.client.calls(SINCE, UNTIL))
    assert sorted((call.ref, call.seconds) for call in calls) == sorted(
        (copy["ref"], copy["seconds"]) for copy in copies
    )
    assert len({call.ref for call in calls}) == len(calls) == 230
    assert {call.direction for call in calls} == {"inbound"}
    assert CALLER not in str(calls)


def test_a_call_that_goes_on_is_not_ended(line: Line) -> None:
    what, word = LISTED[line.name]
    line.put(what, f"{word}1", over=False)
    [call] = line.client.calls(SINCE, UNTIL)
    assert call.ended is False


def test_a_copy_that_is_none_is_refused(line: Line) -> None:
    answer = httpx.post(f"{line.url}/_sandbox/copies", json=[{"what": "call"}])
    assert answer.status_code == 400
    assert answer.json()["problems"][0]["loc"] == [0, "ref"]


def test_no_key_is_kept(line: Line) -> None:
    line.client.check()
    kept = httpx.get(f"{line.url}/_sandbox/requests").json()
    assert kept["count"] == 1
    assert f"sandbox-{line.name}" not in str(kept)


def test_twilio_deletes_a_call_only_once_it_is_over(line_of: Callable[[str], Line]) -> None:
    line = line_of("twilio")
    line.put("call", "CA1", over=False)
    assert isinstance(line.client.delete("call", "CA1"), Later)
    assert line.client.gone("call", "CA1") is False
    line.put("call", "CA1")
    assert line.client.delete("call", "CA1") == Gone()
    assert line.client.gone("call", "CA1") is True


def test_twilio_keeps_the_entry_of_a_deleted_recording_for_forty_days(line_of: Callable[[str], Line]) -> None:
    line = line_of("twilio")
    line.with_sound()
    told = [line.client.delete("recording", "RE1"), line.client.delete("recording", "RE1")]
    assert told[0] == told[1]
    assert timedelta(days=39) < told[0].until - datetime.now(UTC) <= timedelta(days=40)


@pytest.mark.parametrize(("what", "ref"), [("message", "SM1"), ("transcript", "TR1"), ("transcript", "GT1")])
def test_twilio_deletes_messages_and_transcripts(line_of: Callable[[str], Line], what: str, ref: str) -> None:
    line = line_of("twilio")
    line.put(what, ref)
    assert line.client.delete(what, ref) == Gone()
    assert line.client.gone(what, ref) is True


@pytest.mark.parametrize(
    ("name", "what"),
    [("telnyx", "transcript"), ("telnyx", "conversation"), ("elevenlabs", "transcript"), ("elevenlabs", "speech")],
)
def test_the_others_delete_texts(line_of: Callable[[str], Line], name: str, what: str) -> None:
    line = line_of(name)
    line.put(what, "x1")
    assert line.client.gone(what, "x1") is False
    assert line.client.delete(what, "x1") == Gone()
    assert line.client.gone(what, "x1") is True


def test_vapi_s_bulk_deletion_comes_by_and_by_and_may_miss_one(line_of: Callable[[str], Line]) -> None:
    line = line_of("vapi")
    line.put("call", "c1", takes=0.3)
    line.put("call", "c2", takes=0.6)
    line.put("call", "c3", deletes="never")
    assert line.client.delete_many(["c1", "c2", "c3", "c4"]) == Asked()
    assert sorted(line.held) == ["c1", "c2", "c3"]
    until(lambda: line.client.gone("call", "c1") and line.client.gone("call", "c2"))
    assert line.client.gone("call", "c3") is False


def test_what_goes_slowly_is_held_until_its_moment() -> None:
    moment = [SINCE]
    copies = Copies(now=lambda: moment[0])
    copy = Copy(what="call", ref="c1", deletes="slowly", takes=60)
    copies.put([copy])
    assert copies.delete(copy) == 202
    moment[0] += timedelta(seconds=59)
    assert copies.find("call", "c1") == copy
    moment[0] += timedelta(seconds=1)
    assert copies.find("call", "c1") is None
    assert copies.gone_at("call", "c1") == SINCE + timedelta(seconds=60)
