"""The sandbox's Resend, asked through Resend's own SDK, and its inbox as a person sees it."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import resend
from resend.exceptions import ResendError
from resend.http_client_requests import RequestsClient

from ledger import clock
from sandbox.vendors import resend as vendor
from sandbox.vendors.mailbox import AnotherMail, Mailbox

MAIL: Any = {
    "from": "Nexara <alerts@nexara.example>",
    "to": ["owner@harbour.example"],
    "subject": "Urgent: a booking <today>",
    "html": '<p>A caller asked for <b>a booking</b>. <a href="http://127.0.0.1/c/1">Open</a><script>alert(1)</script></p>',
    "text": "A caller asked for a booking.",
    "tags": [{"name": "template", "value": "new_lead"}],
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with vendor.start() as base:
        yield base


@pytest.fixture(autouse=True)
def _fresh(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    httpx.post(f"{url}/_sandbox/reset").raise_for_status()
    monkeypatch.setattr(resend, "api_key", "sandbox-resend")
    monkeypatch.setattr(resend, "api_url", url)
    # The SDK's own client: our adapter, if another test of this process used it, has put its own in the global.
    monkeypatch.setattr(resend, "default_http_client", RequestsClient())


def send(key: str | None = None, **changes: Any) -> str:
    options: Any = {"idempotency_key": key} if key else None
    mail: Any = {**MAIL, **changes}
    return resend.Emails.send(mail, options)["id"]


def inbox(url: str) -> list[dict[str, Any]]:
    mails: list[dict[str, Any]] = httpx.get(f"{url}/inbox.json").json()
    return mails


def refused(status: int, name: str, **changes: Any) -> ResendError:
    with pytest.raises(ResendError) as caught:
        send(**changes)
    assert (caught.value.code, caught.value.error_type) == (status, name)
    return caught.value


def test_a_mail_is_kept_and_can_be_read_back(url: str) -> None:
    sent = send()
    mail = resend.Emails.get(sent)
    assert (mail["id"], mail["subject"], mail["to"]) == (sent, MAIL["subject"], MAIL["to"])
    assert mail["last_event"] == "delivered"
    assert [one["id"] for one in inbox(url)] == [sent]


def test_the_same_mail_under_the_same_key_goes_out_once(url: str) -> None:
    assert send("alert/1") == send("alert/1")
    assert [(mail["idempotency_key"], mail["repeats"]) for mail in inbox(url)] == [("alert/1", 1)]


def test_another_mail_under_the_same_key_is_refused(url: str) -> None:
    send("alert/1")
    refused(409, "invalid_idempotent_request", key="alert/1", subject="Something else")
    assert len(inbox(url)) == 1


def test_without_a_key_every_mail_goes_out(url: str) -> None:
    assert send() != send()
    assert len(inbox(url)) == 2


def test_a_key_is_forgotten_after_a_day() -> None:
    start = clock.now()
    times = iter([start, start + timedelta(hours=23), start + timedelta(hours=25)])
    mailbox = Mailbox(now=lambda: next(times))
    first = mailbox.take(MAIL, "alert/1")
    with pytest.raises(AnotherMail):
        mailbox.take({**MAIL, "subject": "Later"}, "alert/1")
    assert mailbox.take({**MAIL, "subject": "Later"}, "alert/1").id != first.id


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"to": []}, "missing_required_field"),
        ({"subject": ""}, "missing_required_field"),
        ({"html": None, "text": None}, "missing_required_field"),
        ({"to": ["nobody"]}, "validation_error"),
        ({"from": "Nexara"}, "validation_error"),
        ({"tags": [{"name": "who", "value": "Jürgen"}]}, "validation_error"),
    ],
)
def test_a_mail_that_resend_would_refuse_is_refused(url: str, changes: Any, name: str) -> None:
    refused(422, name, **changes)
    assert inbox(url) == []


def test_a_key_that_is_too_long_is_refused() -> None:
    refused(400, "invalid_idempotency_key", key="k" * 257)


def test_a_real_key_is_refused_and_so_is_none(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resend, "api_key", "re_123456789")
    refused(403, "invalid_api_key")
    answer = httpx.post(f"{url}/emails", json=MAIL)
    assert (answer.status_code, answer.json()["name"]) == (401, "missing_api_key")


def test_unknown_mails_and_paths_are_not_found() -> None:
    with pytest.raises(ResendError) as caught:
        resend.Emails.get("5a9d0b0c-0000-4000-8000-000000000000")
    assert (caught.value.code, caught.value.error_type) == (404, "not_found")
    with pytest.raises(ResendError) as caught:
        resend.ApiKeys.list()
    assert caught.value.code == 404


def test_domains_can_be_listed() -> None:
    assert resend.Domains.list()["data"][0]["status"] == "verified"


def test_a_quota_is_worded_as_told(url: str) -> None:
    body = {"statusCode": 429, "name": "daily_quota_exceeded", "message": "You have reached your daily quota."}
    httpx.post(f"{url}/_sandbox/faults", json=[{"status": 429, "body": body}, {"status": 429}])
    assert refused(429, "daily_quota_exceeded").message == "You have reached your daily quota."
    refused(429, "rate_limit_exceeded")
    assert send()


@pytest.mark.parametrize("fault", [{"cut": True}, {"html": True}, {"reset": True}])
def test_a_mail_whose_answer_was_lost_is_out_and_does_not_go_twice(url: str, fault: Any) -> None:
    httpx.post(f"{url}/_sandbox/faults", json=[fault])
    with pytest.raises(ResendError) as caught:
        send("alert/1")
    assert caught.value.code == 500
    assert [mail["id"] for mail in inbox(url)] == [send("alert/1")]


def test_a_request_that_was_never_heard_leaves_no_mail(url: str) -> None:
    httpx.post(f"{url}/_sandbox/faults", json=[{"reset": True, "unheard": True}])
    with pytest.raises(ResendError):
        send("alert/1")
    assert inbox(url) == []


def test_the_inbox_shows_the_newest_first_and_looks_again_by_itself(url: str) -> None:
    assert "No mail yet" in httpx.get(url).text
    send(subject="First")
    send(subject="Second")
    page = httpx.get(url)
    assert page.text.index("Second") < page.text.index("First")
    assert '<meta http-equiv="refresh"' in page.text
    assert "prefers-color-scheme: dark" in page.text
    assert "nothing here was sent to anybody" in page.text
    assert page.headers["x-sandbox"] == "true"


def test_a_mail_is_shown_without_its_scripts_running(url: str) -> None:
    page = httpx.get(f"{url}/inbox/{send()}")
    assert "Urgent: a booking &lt;today&gt;" in page.text
    assert "<script" not in page.text
    assert "&lt;b&gt;a booking&lt;/b&gt;" in page.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    assert "A caller asked for a booking." in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_mail_that_is_gone_says_so(url: str) -> None:
    assert httpx.get(f"{url}/inbox/nothing").status_code == 404


def test_pages_are_no_requests_of_the_api(url: str) -> None:
    httpx.post(f"{url}/_sandbox/faults", json=[{"status": 500}])
    assert httpx.get(url).status_code == 200
    assert httpx.get(f"{url}/_sandbox/requests").json() == {"count": 0, "requests": []}


@pytest.mark.parametrize("name", ["deepgram", "anthropic", "resend", "twilio", "telnyx", "vapi", "elevenlabs"])
def test_each_vendor_runs_as_a_process_and_ends_when_told(name: str, tmp_path: Path) -> None:
    (tmp_path / "scripts.json").write_text("{}")
    more = ["--canned", str(tmp_path / "scripts.json")] if name == "deepgram" else []
    argv = [sys.executable, "-m", f"sandbox.vendors.{name}", "--port", "0", *more]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        said = process.stdout.readline()
        base = said.split()[-1]
        assert httpx.get(f"{base}/_sandbox/requests").json()["count"] == 0
        process.terminate()
        assert process.wait(10) in {0, -15}
        assert process.stdout.read() == ""
    with socket.socket() as line:
        assert line.connect_ex(("127.0.0.1", int(base.rsplit(":", 1)[1]))) != 0
