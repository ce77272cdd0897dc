"""Resend: what we send, and what becomes of each thing that may come back."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from providers.resend import Resend, Sent
from providers.resend_account import Account
from tests.providers.scripted import Answer, Vendor
from tests.providers.traces import assert_says_nothing_of, failure_of

SECRETS = ("owner@marigold.example", "Marigold", "k-secret")
SENDER = "Nexara <alerts@nexara.example>"


@pytest.fixture
def resend(vendor: Vendor) -> Resend:
    return Resend(api_key="k-secret", base_url=vendor.url + "/", sender=SENDER, timeout=5.0)


def send(resend: Resend, key: str = "alert/1", **changes: Any) -> Sent:
    return resend.send(
        **{
            "to": "owner@marigold.example",
            "subject": "A new lead",
            "text": "Marigold called.",
            "html": "<p>Marigold called.</p>",
            "idempotency_key": key,
            "tags": {"business": "b_1"},
        }
        | changes
    )


def test_a_mail_goes_out_once_under_its_key(resend: Resend, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"id": "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}))
    assert send(resend) == Sent(ref="49a3999c-0ce1-4ea6-ab68-afcd6dc2e794", already=False)
    [asked] = vendor.asked
    assert (asked.method, asked.path) == ("POST", "/emails")
    assert asked.headers["idempotency-key"] == "alert/1"
    assert asked.headers["authorization"] == "Bearer k-secret"
    assert asked.json == {
        "from": SENDER,
        "to": ["owner@marigold.example"],
        "subject": "A new lead",
        "text": "Marigold called.",
        "html": "<p>Marigold called.</p>",
        "tags": [{"name": "business", "value": "b_1"}],
    }


def test_the_same_mail_is_the_same_bytes(resend: Resend, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"id": "e1"}))
    send(resend)
    send(resend)
    assert vendor.asked[0].body == vendor.asked[1].body


def refusal(status: int, name: str) -> dict[str, Any]:
    return {"statusCode": status, "name": name, "message": "owner@marigold.example is Marigold's"}


def test_a_key_taken_by_another_body_means_that_the_mail_is_out(resend: Resend, vendor: Vendor) -> None:
    vendor.answers(Answer(409, refusal(409, "invalid_idempotent_request")))
    assert send(resend) == Sent(ref=None, already=True)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Answer(409, refusal(409, "concurrent_idempotent_requests")), TryAgain, "resend_unready"),
        (Answer(400, refusal(400, "validation_error")), GiveUp, "resend_refused"),
        (Answer(400, refusal(400, "invalid_idempotency_key")), GiveUp, "resend_refused"),
        (Answer(422, refusal(422, "missing_required_field")), GiveUp, "resend_refused"),
        (Answer(422, refusal(422, "invalid_from_address")), Misconfigured, "sender_refused"),
        (Answer(451, refusal(451, "security_error")), GiveUp, "resend_refused"),
        (Answer(401, refusal(401, "missing_api_key")), Misconfigured, "resend_key_refused"),
        (Answer(403, refusal(403, "invalid_api_key")), Misconfigured, "resend_key_refused"),
        (Answer(403, refusal(403, "validation_error")), Misconfigured, "sender_refused"),
        (Answer(404, refusal(404, "not_found")), Misconfigured, "resend_not_there"),
        (Answer(307, "", {"location": "https://elsewhere.invalid/"}), Misconfigured, "resend_not_there"),
        (Answer(429, refusal(429, "daily_quota_exceeded")), Misconfigured, "resend_quota_used"),
        (Answer(429, refusal(429, "monthly_quota_exceeded")), Misconfigured, "resend_quota_used"),
        (Answer(500, refusal(500, "application_error")), TryAgain, "resend_down"),
        (Answer(200, refusal(500, "internal_server_error")), TryAgain, "resend_down"),
        (Answer(200, {"id": None}), TryAgain, "resend_garbled"),
        (Answer(200, [1]), TryAgain, "resend_garbled"),
        (Answer(200, '{"id": "e1"}', kind="text/html"), TryAgain, "resend_garbled"),
    ],
)
def test_what_a_refusal_means(resend: Resend, vendor: Vendor, answer: Answer, kind: type[JobError], code: str) -> None:
    vendor.answers(answer)
    error = failure_of(lambda: send(resend))
    assert (type(error), error.code) == (kind, code)
    assert len(vendor.asked) == 1
    assert_says_nothing_of(error, *SECRETS)


def test_a_rate_limit_is_a_pause_and_not_a_quota(resend: Resend, vendor: Vendor) -> None:
    vendor.answers(Answer(429, refusal(429, "rate_limit_exceeded"), {"retry-after": "1"}))
    error = failure_of(lambda: send(resend))
    assert isinstance(error, RateLimited)
    assert error.retry_after == 1.0


@pytest.mark.parametrize("key", ["", "x" * 257, "a b", "a\nb", "schlüssel"])
def test_a_key_that_is_none_sends_nothing(resend: Resend, vendor: Vendor, key: str) -> None:
    with pytest.raises(ValueError, match="idempotency key"):
        send(resend, key)
    assert vendor.asked == []


@pytest.mark.parametrize("tags", [{"name": "Ms. Gold"}, {"": "x"}, {"to": "a@b.example"}])
def test_a_tag_that_is_no_plain_word_sends_nothing(resend: Resend, vendor: Vendor, tags: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="tag"):
        send(resend, tags=tags)
    assert vendor.asked == []


def test_accounts_on_many_threads_never_mix(vendor: Vendor) -> None:
    vendor.answers(Answer(body={"id": "e1"}))
    accounts = [
        Resend(api_key=f"key-{n}", base_url=f"{vendor.url}/{n}", sender=f"{n}@nexara.example") for n in range(4)
    ]
    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda n: send(accounts[n % 4], f"alert/{n}"), range(80)))
    assert len(sent) == len(vendor.asked) == 80
    for asked in vendor.asked:
        n = int(asked.headers["idempotency-key"].removeprefix("alert/")) % 4
        assert asked.headers["authorization"] == f"Bearer key-{n}"
        assert asked.path == f"/{n}/emails"
        assert asked.json["from"] == f"{n}@nexara.example"


def test_no_key_lies_in_the_sdk_s_globals(resend: Resend, vendor: Vendor) -> None:
    import resend as sdk

    vendor.answers(Answer(body={"id": "e1"}))
    send(resend)
    assert sdk.api_key != "k-secret"
    assert "k-secret" not in repr(Account.open(api_key="k-secret", base_url=vendor.url, timeout=1.0))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body={"object": "list", "has_more": False, "data": [{"id": "d1", "name": "nexara.example"}]}),
        Answer(401, refusal(401, "restricted_api_key")),
    ],
)
def test_a_good_key_passes_the_check_also_one_that_may_only_send(
    resend: Resend, vendor: Vendor, answer: Answer
) -> None:
    vendor.answers(answer)
    resend.check()
    [asked] = vendor.asked
    assert (asked.method, asked.path) == ("GET", "/domains")


def test_a_wrong_key_fails_the_check(resend: Resend, vendor: Vendor) -> None:
    vendor.answers(Answer(403, refusal(403, "invalid_api_key")))
    error = failure_of(resend.check)
    assert isinstance(error, Misconfigured)
    assert error.setting == "RESEND_API_KEY"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "statusCode"]), inner),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=JSON, status=st.sampled_from([200, 200, 400, 409, 429, 500]))
def test_no_answer_whatever_raises_anything_but_ours(resend: Resend, vendor: Vendor, body: Any, status: int) -> None:
    vendor.answers(Answer(status, json.dumps(body)))
    try:
        assert isinstance(send(resend), Sent)
    except JobError as error:
        assert_says_nothing_of(error, *SECRETS)
