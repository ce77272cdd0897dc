"""A vendor that fails, garbles, refuses or asks for a pause: each ends as stated, loses nothing, and can be mended."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from ledger import clock
from models.conversations import Channel
from tests.jobs.answers import card, message

WHOLE = {"transcripts": 1, "summaries": 1, "leads": 1, "meter": 1, "emails_sent": 1}
STEPS = ("recordings.transcribe", "conversations.summarize", "leads.extract", "usage.meter", "alerts.send")
CHAT = (("inbound", "Hello, could you call me back? Nora Finch, 07700 900123"), ("outbound", "We will."))
BILLED = {
    "recordings.transcribe": 1,
    "conversations.summarize": len(CHAT),
    "leads.extract": len(CHAT),
    "alerts.send": 0,
}
QUICKLY = 0.5
"""Seconds: a vendor's time-out for a test that waits for it."""


def went(
    state: str, code: str, *, spent: bool = True, setting: str = "", wait: tuple[float, float] | None = None
) -> Any:
    return SimpleNamespace(state=state, code=code, spent=spent, setting=setting, wait=wait)


def again(code: str) -> Any:
    return went("retryable", code)


def parked(code: str, setting: str) -> Any:
    return went("parked", code, spent=False, setting=setting)


def paused(code: str, least: float, most: float) -> Any:
    return went("retryable", code, spent=False, wait=(least, most))


def everywhere(vendor: str, key: str) -> list[tuple[dict[str, Any], Any]]:
    """Return what any vendor may do, and what becomes of the job."""
    return [
        ({"html": True}, again(f"{vendor}_garbled")),
        ({"cut": True}, again(f"{vendor}_unreachable")),
        ({"status": 200, "body": {"results": {}, "data": []}}, again(f"{vendor}_garbled")),
        ({"status": 200, "body": "[1, 2"}, again(f"{vendor}_garbled")),
        ({"status": 500}, again(f"{vendor}_down")),
        ({"status": 503, "body": "<html>"}, again(f"{vendor}_down")),
        ({"reset": True}, again(f"{vendor}_unreachable")),
        ({"delay": 20}, again(f"{vendor}_timeout")),
        ({"status": 401}, parked(f"{vendor}_key_refused", key)),
        ({"status": 403}, parked(f"{vendor}_key_refused", key)),
        ({"status": 429, "headers": {"retry-after": "7"}}, paused(f"{vendor}_busy", 7, 8.4)),
        ({"status": 429}, paused(f"{vendor}_busy", 30, 36)),
        ({"status": 429, "headers": {"retry-after": "86400"}}, paused(f"{vendor}_busy", 900, 1080)),
    ]


DEEPGRAM = [
    *everywhere("deepgram", "DEEPGRAM_API_KEY"),
    ({"status": 402}, parked("deepgram_out_of_credit", "DEEPGRAM_API_KEY")),
    ({"status": 404}, parked("deepgram_not_there", "DEEPGRAM_BASE_URL")),
    ({"status": 400, "body": {"err_code": "REMOTE_CONTENT_ERROR"}}, again("audio_unreachable")),
    ({"status": 413}, went("dead", "deepgram_refused")),
]
ANTHROPIC = [
    *everywhere("anthropic", "ANTHROPIC_API_KEY"),
    ({"status": 402}, parked("anthropic_out_of_credit", "ANTHROPIC_API_KEY")),
    ({"status": 404}, parked("anthropic_no_such_model", "ANTHROPIC_MODEL")),
    ({"status": 529}, again("anthropic_down")),
    ({"status": 413}, went("dead", "conversation_too_long")),
    (message(stop_reason="refusal", content=[]), went("dead", "anthropic_declined")),
    (message(stop_reason="max_tokens"), again("anthropic_cut_short")),
    (message(content=[]), again("anthropic_garbled")),
]
NO_CARD = [
    (message(), again("anthropic_garbled")),
    (message(content=[{"type": "text", "text": '{"name": "Nora Finch"'}]), again("anthropic_garbled")),
    (message(content=[{"type": "text", "text": '{"name": 1, "intent": "sue"}'}]), again("anthropic_garbled")),
]
RESEND = [
    *everywhere("resend", "RESEND_API_KEY"),
    ({"status": 409}, again("resend_unready")),
    ({"status": 422}, went("dead", "resend_refused")),
    ({"status": 451}, went("dead", "resend_refused")),
    (
        {"status": 429, "body": {"statusCode": 429, "name": "daily_quota_exceeded", "message": "x"}},
        parked("resend_quota_used", "RESEND_API_KEY"),
    ),
    (
        {"status": 403, "body": {"statusCode": 403, "name": "validation_error", "message": "x"}},
        parked("sender_refused", "MAIL_FROM"),
    ),
]


@pytest.mark.parametrize(
    ("kind", "vendor", "faults"),
    [
        ("recordings.transcribe", "deepgram", DEEPGRAM),
        ("conversations.summarize", "anthropic", ANTHROPIC),
        ("leads.extract", "anthropic", [*ANTHROPIC[:6], *NO_CARD]),
        ("alerts.send", "resend", RESEND),
    ],
    ids=lambda told: told if isinstance(told, str) else "",
)
def test_what_a_vendor_does_wrong_delays_a_step_and_loses_nothing(house, shop, kind, vendor, faults):
    wire = getattr(house.wires, vendor)
    for fault, wanted in faults:
        before_it(house, shop, kind)
        metered = house.counts()["meter"]
        wire.goes_wrong(fault)
        began = clock.now()
        if "delay" in fault:
            house.asking(**{f"{vendor}_timeout": QUICKLY})
        (ended,) = house.step()
        house.asking()
        assert (ended.kind, ended.state, ended.reason) == (kind, wanted.state, wanted.code), fault
        job = house.jobs(kind)[-1]
        assert job.attempt == int(wanted.spent), fault
        if wanted.wait:
            least, most = ((job.run_at - moment) / timedelta(seconds=1) for moment in (clock.now(), began))
            assert least <= wanted.wait[1], fault
            assert most >= wanted.wait[0], fault
        attempt = house.attempts()[-1]
        assert (attempt.job_id, attempt.error_code) == (job.id, wanted.code), fault
        assert (f"Setting: {wanted.setting}." in attempt.message) == bool(wanted.setting), attempt.message
        house.drain()
        billed = house.counts()["meter"] - metered
        assert billed == int(wanted.state == "dead" and kind != "alerts.send") * BILLED[kind], fault
        house.retry(job.id)
        (ended,) = house.step()
        assert (ended.job_id, ended.state) == (job.id, "succeeded"), fault
        if wanted.state == "retryable":
            house.sql("DELETE FROM ledger.jobs WHERE state = 'available'")  # that a chain goes on is another test's
        house.drain()
    assert {job.state for job in house.jobs()} <= {"succeeded", "cancelled"}
    assert house.sql("SELECT count(*) FROM ledger.kept_answers") == 0
    mails = [mail["idempotency_key"] for mail in house.wires.inbox()]
    assert len(mails) == len(set(mails))
    assert len(mails) == sum(kind == "alerts.send" or wanted.state != "retryable" for _, wanted in faults)


def before_it(house, shop, kind):
    """Write what brings a job of this kind to its turn, and run what comes before."""
    if kind == "recordings.transcribe":
        shop.booking()
    elif kind == "alerts.send":
        shop.call(recorded=False)
        house.step()
    else:
        shop.chat(Channel.SMS, CHAT)
        if kind == "leads.extract":
            house.step()


def test_a_mail_that_another_body_sent_under_its_key_is_noted_as_sent(house, shop):
    told = shop.booking()
    for _ in range(4):
        house.step()
    house.wires.resend.goes_wrong({"reset": True})
    (ended,) = house.step()
    assert (ended.state, ended.reason) == ("retryable", "resend_unreachable")
    house.sql("UPDATE nexara.leads SET urgency = 'emergency'")
    house.drain_all()
    assert house.rows("SELECT state, resend_ref, conversation_id FROM nexara.emails_sent") == [
        ("already_sent", None, told.conversation)
    ]
    assert [mail["subject"] for mail in house.wires.inbox()] == ["New: a booking by phone call"]


def test_a_setting_that_is_wrong_is_named_and_its_job_goes_on_when_it_is_mended(house, shop):
    for wrong, state, code, says in (
        ({"deepgram_api_key": "real-key"}, "parked", "deepgram_key_refused", "DEEPGRAM_API_KEY"),
        ({"deepgram_api_key": ""}, "parked", "setting_missing", "DEEPGRAM_API_KEY"),
        ({"s3_bucket": "no-such-bucket"}, "parked", "s3_no_such_bucket", "S3_BUCKET"),
        ({"s3_endpoint": "http://127.0.0.1:1"}, "retryable", "s3_unreachable", "object store"),
        ({"deepgram_base_url": "http://127.0.0.1:1"}, "retryable", "deepgram_unreachable", "Deepgram"),
    ):
        shop.booking()
        house.asking(**wrong)
        house.drain()
        job = house.jobs("recordings.transcribe")[-1]
        assert (job.state, job.reason) == (state, code)
        assert says in house.attempts()[-1].message
        house.asking()
        house.retry(job.id)
        (ended,) = house.step()
        assert ended.state == "succeeded"
        house.sql("DELETE FROM ledger.jobs WHERE state = 'available'")
    assert "real-key" not in str(house.attempts())


@pytest.mark.parametrize("kind", ["recordings.transcribe", "leads.extract"])
def test_a_vendor_that_stays_down_ends_its_step_and_the_call_is_billed_without_it(house, shop, kind):
    shop.booking()
    for _ in range(STEPS.index(kind)):
        house.step()
    vendor = house.wires.deepgram if kind == "recordings.transcribe" else house.wires.anthropic
    vendor.goes_wrong(*[{"status": 500}] * house.job(kind).max_attempts)
    house.drain_all()
    job = house.job(kind)
    assert (job.state, job.reason, job.attempt) == ("dead", "attempts_exhausted", job.max_attempts)
    assert len(house.attempts()) == job.max_attempts
    assert (house.counts()["leads"], house.counts()["meter"], house.counts()["emails_sent"]) == (0, 1, 1)
    house.retry(job.id)
    house.drain_all()
    assert house.counts() == WHOLE
    assert len(house.wires.inbox()) == 1


def test_what_a_vendor_says_beside_the_words_never_costs_the_words(house, shop):
    """A language, a confidence or a speaker that our tables do not hold is left out."""
    heard = {"transcript": "Could you call me back?", "confidence": 7, "languages": ["multi"], "words": []}
    said = {"start": 0.5, "end": 1.5, "transcript": heard["transcript"], "channel": 0, "speaker": -1}
    answer = {
        "metadata": {"request_id": "r-1", "duration": 2.5},
        "results": {"channels": [{"alternatives": [heard], "detected_language": "multi"}], "utterances": [said]},
    }
    shop.booking()
    house.wires.deepgram.goes_wrong({"status": 200, "body": answer})
    house.drain()
    assert house.attempts() == []
    assert house.rows("SELECT body, language, confidence FROM nexara.transcripts") == [
        ("Could you call me back?", None, None)
    ]
    assert house.counts() == WHOLE


def test_what_no_table_holds_is_left_out_of_a_lead_and_the_rest_is_kept(house, new_shop):
    """The country's plan allows a number so short; a model may date a visit in a year that nobody means."""
    shop = new_shop(country="DE", zone="Europe/Berlin")
    shop.employ("owner@example.com")
    shop.chat(
        Channel.SMS, [("inbound", "Bitte um R\u00fcckruf unter 04711, Nora Finch, nora@finch"), ("outbound", "Gern.")]
    )
    house.step()
    said = card(
        name="Nora Finch",
        phone="04711",
        email="nora@finch",
        intent="callback",
        requested_at="2226-06-01T10:00",
        verbatim="Ruft niemals an",
    )
    house.wires.anthropic.goes_wrong(said)
    house.drain()
    assert house.attempts() == []
    lead = house.rows("SELECT name, phone, email, intent, requested_at, verbatim FROM nexara.leads")
    assert lead == [("Nora Finch", None, None, "callback", None, None)]
