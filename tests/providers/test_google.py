"""Google: one business's events end, then our access; what is wrong with its token is no other's trouble."""

from typing import Any

import pytest

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from providers.google import Access, Google
from tests.providers.scripted import Answer, Vendor
from tests.providers.traces import assert_says_nothing_of, failure_of

SECRETS = ("Marigold", "k-secret", "refresh-5ec2e7", "access-5ec2e7", "owner@marigold.example")
REFRESH, ACCESS, EVENT = "refresh-5ec2e7", Access("access-5ec2e7", 3599), "e1"
CALENDAR = "owner@marigold.example"


@pytest.fixture
def google(vendor: Vendor) -> Google:
    addresses = {"base_url": vendor.url + "/", "oauth_base_url": vendor.url + "/oauth"}
    return Google(client_id="nexara", client_secret="k-secret", **addresses, timeout=5.0)


def refusal(status: int, reason: str, headers: dict[str, str] | None = None) -> Answer:
    errors = [{"domain": "calendar", "reason": reason, "message": "Marigold"}]
    return Answer(status, {"error": {"code": status, "message": "Marigold", "errors": errors}}, headers or {})


def no_token(error: str, status: int = 400) -> Answer:
    return Answer(status, {"error": error, "error_description": "Marigold"})


def test_a_kept_token_gives_access_for_some_minutes(google: Google, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"access_token": "access-5ec2e7", "expires_in": 3599, "token_type": "Bearer"}))
    assert google.refresh(REFRESH) == ACCESS
    [asked] = vendor.asked
    assert (asked.method, asked.path) == ("POST", "/oauth/token")
    assert b"grant_type=refresh_token&refresh_token=refresh-5ec2e7" in asked.body
    assert b"client_id=nexara&client_secret=k-secret" in asked.body
    assert "5ec2e7" not in repr(ACCESS)


def test_an_event_is_deleted_in_its_calendar_and_nobody_is_told(google: Google, vendor: Vendor) -> None:
    vendor.answers(Answer(204))
    google.delete_event(ACCESS, EVENT, calendar=CALENDAR)
    [asked] = vendor.asked
    assert (asked.method, asked.path) == ("DELETE", "/calendar/v3/calendars/owner%40marigold.example/events/e1")
    assert asked.query == {"sendUpdates": ["none"]}
    assert asked.headers["authorization"] == "Bearer access-5ec2e7"
    assert "k-secret" not in str(asked.headers)


@pytest.mark.parametrize("answer", [refusal(404, "notFound"), refusal(410, "deleted")])
def test_an_event_that_is_not_there_is_deleted_already(google: Google, vendor: Vendor, answer: Answer) -> None:
    vendor.answers(answer)
    google.delete_event(ACCESS, EVENT)
    assert google.has_event(ACCESS, EVENT) is False


@pytest.mark.parametrize(
    "answer", [Answer(404, "<h1>404</h1>", kind="text/html"), Answer(410, {}), Answer(404, {"error": "gone"})]
)
def test_somebody_else_s_404_proves_no_deletion(google: Google, vendor: Vendor, answer: Answer) -> None:
    vendor.answers(answer)
    for ask in (google.delete_event, google.has_event):
        assert failure_of(lambda ask=ask: ask(ACCESS, EVENT)).code in {"google_not_there", "google_refused"}


def test_a_friendly_page_proves_no_deletion(google: Google, vendor: Vendor) -> None:
    vendor.answers(Answer(200, "<h1>Welcome</h1>", kind="text/html"))
    assert failure_of(lambda: google.delete_event(ACCESS, EVENT)).code == "google_garbled"


@pytest.mark.parametrize(("status", "there"), [("confirmed", True), ("tentative", True), ("cancelled", False)])
def test_an_event_is_read_back_and_a_cancelled_one_is_gone(
    google: Google, vendor: Vendor, status: str, *, there: bool
) -> None:
    vendor.answers(Answer(body={"id": EVENT, "status": status, "summary": "Marigold"}))
    assert google.has_event(ACCESS, EVENT) is there
    assert vendor.asked[0].query == {"fields": ["id,status"]}


def test_another_event_than_asked_for_is_no_answer(google: Google, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"id": "e2", "status": "confirmed"}))
    assert failure_of(lambda: google.has_event(ACCESS, EVENT)).code == "google_garbled"


@pytest.mark.parametrize("answer", [Answer(body={}), no_token("invalid_token")])
def test_access_is_given_back_and_once_is_enough(google: Google, vendor: Vendor, answer: Answer) -> None:
    vendor.answers(answer)
    google.revoke(REFRESH)
    [asked] = vendor.asked
    assert (asked.path, asked.body) == ("/oauth/revoke", b"token=refresh-5ec2e7")


@pytest.mark.parametrize(
    ("answer", "kind", "code", "of_business"),
    [
        (no_token("invalid_grant"), Misconfigured, "google_access_gone", True),
        (no_token("admin_policy_enforced"), Misconfigured, "google_access_gone", True),
        (no_token("invalid_client", 401), Misconfigured, "google_key_refused", False),
        (no_token("unauthorized_client", 401), Misconfigured, "google_key_refused", False),
        (no_token("invalid_request"), GiveUp, "google_refused", None),
        (no_token("internal_failure", 500), TryAgain, "google_down", None),
        (Answer(404, {"error": {"invalid_grant": 1}}), Misconfigured, "google_not_there", False),
        (Answer(body={"access_token": "", "expires_in": 1}), TryAgain, "google_garbled", None),
        (Answer(body={"access_token": "a b", "expires_in": 1}), TryAgain, "google_garbled", None),
        (Answer(body={"access_token": "a"}), TryAgain, "google_garbled", None),
    ],
)
def test_what_a_refused_token_means(
    google: Google, vendor: Vendor, answer: Answer, kind: type[JobError], code: str, *, of_business: bool | None
) -> None:
    vendor.answers(answer)
    error = failure_of(lambda: google.refresh(REFRESH))
    assert (type(error), error.code, getattr(error, "of_business", None)) == (kind, code, of_business)
    assert_says_nothing_of(error, *SECRETS)


@pytest.mark.parametrize(
    ("answer", "kind", "code", "of_business"),
    [
        (refusal(401, "authError"), Misconfigured, "google_token_refused", True),
        (refusal(403, "insufficientPermissions"), Misconfigured, "google_scope_missing", True),
        (refusal(403, "Marigold"), Misconfigured, "google_scope_missing", True),
        (
            Answer(403, {"error": {"code": 403, "errors": [{"reason": {}}]}}),
            Misconfigured,
            "google_scope_missing",
            True,
        ),
        (refusal(403, "accessNotConfigured"), Misconfigured, "google_api_off", False),
        (refusal(400, "badRequest"), GiveUp, "google_refused", None),
        (refusal(409, "conflict"), TryAgain, "google_unready", None),
        (refusal(503, "backendError"), TryAgain, "google_down", None),
    ],
)
def test_what_a_calendar_s_refusal_means(
    google: Google, vendor: Vendor, answer: Answer, kind: type[JobError], code: str, *, of_business: bool | None
) -> None:
    vendor.answers(answer)
    error = failure_of(lambda: google.delete_event(ACCESS, EVENT, calendar=CALENDAR))
    assert (type(error), error.code, getattr(error, "of_business", None)) == (kind, code, of_business)
    assert_says_nothing_of(error, *SECRETS)


@pytest.mark.parametrize(
    ("answer", "who"),
    [
        (refusal(403, "rateLimitExceeded", {"retry-after": "7"}), "google"),
        (refusal(403, "userRateLimitExceeded", {"retry-after": "7"}), None),
        (refusal(429, "rateLimitExceeded", {"retry-after": "7"}), "google"),
    ],
)
def test_one_business_that_is_too_fast_makes_no_other_wait(
    google: Google, vendor: Vendor, answer: Answer, who: str | None
) -> None:
    vendor.answers(answer)
    error = failure_of(lambda: google.has_event(ACCESS, EVENT))
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.vendor) == (7.0, who)


@pytest.mark.parametrize("token", ["", " ", "a\nb", "schlüssel"])
def test_a_kept_token_that_is_none_is_not_sent(google: Google, vendor: Vendor, token: str) -> None:
    for ask in (google.refresh, google.revoke):
        error = failure_of(lambda ask=ask: ask(token))
        assert isinstance(error, Misconfigured)
        assert (error.code, error.of_business) == ("google_token_broken", True)
    assert vendor.asked == []


@pytest.mark.parametrize("ref", ["", ".", ".."])
def test_an_id_cannot_leave_its_place_in_the_path(google: Google, vendor: Vendor, ref: str) -> None:
    assert failure_of(lambda: google.delete_event(ACCESS, ref)).code == "ref_malformed"
    assert failure_of(lambda: google.delete_event(ACCESS, EVENT, calendar=ref)).code == "ref_malformed"
    assert vendor.asked == []


def test_a_good_client_passes_the_check_and_a_wrong_one_does_not(google: Google, vendor: Vendor) -> None:
    vendor.answers(no_token("invalid_grant"))
    google.check()
    vendor.answers(no_token("invalid_client", 401))
    error: Any = failure_of(google.check)
    assert (error.code, error.setting) == ("google_key_refused", "GOOGLE_CLIENT_SECRET")
