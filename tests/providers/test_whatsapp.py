"""WhatsApp, through Meta or through 360dialog: media come and go, and an error means what its code says."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from providers.bounds import MOST
from providers.whatsapp import Media, Used, WhatsApp
from tests.providers.scripted import Answer, Vendor
from tests.providers.traces import assert_says_nothing_of, failure_of

SECRETS = ("Marigold", "k-secret", "447700900318")
DATA = b"\x89PNG a picture of a leaking tap"
GONE = (
    "Unsupported get request. Object with ID '447700900318' does not exist, cannot be loaded due to missing permissions"
)
NUMBER = "447700900318"
Maker = Callable[[str], WhatsApp]


def meta(url: str) -> WhatsApp:
    return WhatsApp.meta(access_token="k-secret", base_url=f"{url}/v24.0/", timeout=5.0)


def dialog360(url: str) -> WhatsApp:
    return WhatsApp.dialog360(api_key="k-secret", base_url=url, timeout=5.0)


either = pytest.mark.parametrize("through", [meta, dialog360])


def described(host: str, **changes: Any) -> Answer:
    told = {
        "url": f"{host}/whatsapp_business/attachments/?mid=m1&hash=5ec2e7",
        "mime_type": "image/png",
        "sha256": hashlib.sha256(DATA).hexdigest(),
        "file_size": len(DATA),
        "id": "m1",
    }
    return Answer(body=told | changes)


def refusal(code: Any, status: int = 400, message: str = "Marigold", **headers: str) -> Answer:
    error = {"message": message, "type": "OAuthException", "code": code, "error_data": {"details": "Marigold"}}
    return Answer(status, {"error": error}, headers)


def picture() -> Answer:
    return Answer(body=DATA, kind="image/png")


def test_meta_s_media_is_fetched_from_where_it_says_with_the_key(vendor: Vendor) -> None:
    vendor.answers(described(vendor.url), picture())
    assert meta(vendor.url).download("m1") == Media(DATA, "image/png")
    assert [asked.path for asked in vendor.asked] == ["/v24.0/m1", "/whatsapp_business/attachments/"]
    assert {asked.headers["authorization"] for asked in vendor.asked} == {"Bearer k-secret"}


def test_360dialog_s_media_is_fetched_from_itself_whatever_address_it_says(vendor: Vendor) -> None:
    vendor.answers(described("https://lookaside.fbsbx.com"), picture())
    assert dialog360(vendor.url).download("m1").data == DATA
    assert [asked.path for asked in vendor.asked] == ["/m1", "/whatsapp_business/attachments/"]
    assert vendor.asked[1].query["mid"] == ["m1"]
    assert {asked.headers["d360-api-key"] for asked in vendor.asked} == {"k-secret"}


@pytest.mark.parametrize(
    "url",
    [
        "https://fbsbx.com.marigold.invalid/x",
        "http://lookaside.fbsbx.com/x",
        "https://lookaside.fbsbx.com@marigold.invalid/x",
        "https://lookaside.fbsbx.com:8443/x",
        "http://127.0.0.1:1/x",
        "file:///etc/passwd",
        "",
    ],
)
def test_the_key_goes_to_no_stranger(vendor: Vendor, url: str) -> None:
    vendor.answers(described("", url=url))
    error = failure_of(lambda: meta(vendor.url).download("m1"))
    assert error.code == "meta_garbled"
    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    "changes", [{"file_size": 3}, {"sha256": "0" * 64}, {"mime_type": "image"}, {"file_size": -1}, {"url": None}]
)
@either
def test_what_is_not_what_was_announced_is_not_taken(through: Maker, vendor: Vendor, changes: Any) -> None:
    vendor.answers(described(vendor.url, **changes), picture())
    assert failure_of(lambda: through(vendor.url).download("m1")).code.endswith("_garbled")


def test_a_file_that_is_too_large_is_given_up_before_it_is_fetched(vendor: Vendor) -> None:
    vendor.answers(described(vendor.url, file_size=MOST + 1))
    error = failure_of(lambda: meta(vendor.url).download("m1"))
    assert (type(error), error.code) == (GiveUp, "meta_too_large")
    assert len(vendor.asked) == 1


def test_media_is_deleted_for_the_number_that_it_came_to(vendor: Vendor) -> None:
    vendor.answers(Answer(body={"success": True}))
    meta(vendor.url).delete_media("m1", number=NUMBER)
    [asked] = vendor.asked
    assert (asked.method, asked.path, asked.query) == ("DELETE", "/v24.0/m1", {"phone_number_id": [NUMBER]})


@pytest.mark.parametrize("body", [{"success": False}, {}, "OK"])
@either
def test_no_success_is_no_deletion(through: Maker, vendor: Vendor, body: Any) -> None:
    vendor.answers(Answer(body=body))
    assert failure_of(lambda: through(vendor.url).delete_media("m1")).code.endswith("_garbled")


@pytest.mark.parametrize("status", [400, 404, 500])
@either
def test_media_that_does_not_exist_is_deleted_already(through: Maker, vendor: Vendor, status: int) -> None:
    vendor.answers(refusal(100, status, GONE))
    through(vendor.url).delete_media("m1")
    assert through(vendor.url).has_media("m1") is False
    error = failure_of(lambda: through(vendor.url).download("m1"))
    assert (type(error), error.code[-8:]) == (GiveUp, "_missing")
    assert_says_nothing_of(error, *SECRETS)


def test_meta_s_does_not_exist_counts_where_its_key_sees_the_number(vendor: Vendor) -> None:
    vendor.answers(refusal(100, 400, GONE), Answer(body={"id": NUMBER}))
    assert meta(vendor.url).has_media("m1", number=NUMBER) is False
    assert [asked.path for asked in vendor.asked] == ["/v24.0/m1", f"/v24.0/{NUMBER}"]


def test_meta_s_does_not_exist_proves_nothing_where_its_key_sees_nothing(vendor: Vendor) -> None:
    vendor.answers(refusal(100, 400, GONE))
    for ask in (meta(vendor.url).delete_media, meta(vendor.url).has_media):
        error = failure_of(lambda ask=ask: ask("m1", number=NUMBER))
        assert isinstance(error, Misconfigured)
        assert (error.code, error.of_business) == ("meta_not_allowed", True)
        assert_says_nothing_of(error, "Marigold", "k-secret")


@pytest.mark.parametrize("answer", [Answer(404, "<h1>404</h1>"), Answer(404, {}), Answer(410, {"error": "gone"})])
@either
def test_somebody_else_s_404_proves_no_deletion(through: Maker, vendor: Vendor, answer: Answer) -> None:
    vendor.answers(answer)
    for ask in (through(vendor.url).delete_media, through(vendor.url).has_media):
        assert failure_of(lambda ask=ask: ask("m1")).code.endswith(("_not_there", "_refused"))


@either
def test_media_is_read_back(through: Maker, vendor: Vendor) -> None:
    vendor.answers(described(vendor.url))
    assert through(vendor.url).has_media("m1") is True
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("status", [200 + 200, 401, 403, 500])
@pytest.mark.parametrize(
    ("code", "kind", "word"),
    [
        *((code, RateLimited, "busy") for code in (4, 80007, 130429, 131048, 131056, 133016)),
        *((code, Misconfigured, "key_refused") for code in (0, 3, 190)),
        *((code, Misconfigured, "not_allowed") for code in (10, 200, 299)),
        *((code, Misconfigured, "blocked") for code in (368, 131031, 131042)),
    ],
)
@either
def test_the_code_says_what_an_error_means_and_not_the_status(
    through: Maker, vendor: Vendor, code: int, kind: type[JobError], word: str, status: int
) -> None:
    vendor.answers(refusal(code, status))
    error = failure_of(lambda: through(vendor.url).delete_media("m1"))
    assert (type(error), error.code) == (kind, f"{through.__name__}_{word}")
    assert_says_nothing_of(error, *SECRETS)


@pytest.mark.parametrize(
    ("code", "status", "kind", "word"),
    [
        *((code, 400, TryAgain, "unready") for code in (1, 2, 131000, 131016, 131057, 135000)),
        (131000, 500, TryAgain, "down"),
        *((code, 400, GiveUp, "refused") for code in (100, 131008, 131026, 131047, 132001, 999)),
        (999, 500, TryAgain, "down"),
        (999, 429, RateLimited, "busy"),
        ("190", 400, GiveUp, "refused"),
        (True, 401, Misconfigured, "key_refused"),
    ],
)
def test_what_a_code_means_beside_its_status(
    vendor: Vendor, code: Any, status: int, kind: type[JobError], word: str
) -> None:
    vendor.answers(refusal(code, status))
    error = failure_of(lambda: meta(vendor.url).delete_media("m1"))
    assert (type(error), error.code) == (kind, f"meta_{word}")


@pytest.mark.parametrize(("code", "who"), [(130429, "meta"), (131056, None)])
def test_one_recipient_s_pace_makes_nobody_else_wait(vendor: Vendor, code: int, who: str | None) -> None:
    vendor.answers(refusal(code, 400, **{"retry-after": "9"}))
    error = failure_of(lambda: meta(vendor.url).delete_media("m1"))
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.vendor) == (9.0, who)


@pytest.mark.parametrize(("code", "of_business"), [(190, False), (200, True), (131031, True)])
def test_our_own_key_is_everybody_s_trouble_and_a_business_s_account_its_own(
    vendor: Vendor, code: int, *, of_business: bool
) -> None:
    vendor.answers(refusal(code))
    error = failure_of(lambda: meta(vendor.url).delete_media("m1"))
    assert isinstance(error, Misconfigured)
    assert error.of_business is of_business


def test_meta_tells_by_day_what_an_account_delivered(vendor: Vendor) -> None:
    points = [
        {"start": 1795564800, "end": 1795651200, "volume": 12, "cost": 0.41, "phone_number": NUMBER},
        {"start": 1795651200, "end": 1795737600, "volume": 0},
    ]
    vendor.answers(Answer(body={"pricing_analytics": {"data": [{"data_points": points}]}, "id": "w1"}))
    days = [datetime.fromtimestamp(1795564800 + 86400 * day, UTC) for day in range(3)]
    used = meta(vendor.url).usage("w1", days[0], days[2])
    assert used == (Used(days[0], days[1], 12, Decimal("0.41")), Used(days[1], days[2], 0, None))
    [asked] = vendor.asked
    assert asked.path == "/v24.0/w1"
    assert asked.query["fields"][0].startswith("pricing_analytics.start(1795564800).end(1795737600).granularity(DAILY)")


def test_an_account_without_any_message_used_nothing(vendor: Vendor) -> None:
    vendor.answers(Answer(body={"id": "w1"}))
    assert meta(vendor.url).usage("w1", datetime.now(UTC), datetime.now(UTC)) == ()


def test_360dialog_s_usage_is_unknown_and_not_nothing(vendor: Vendor) -> None:
    error = failure_of(lambda: dialog360(vendor.url).usage("w1", datetime.now(UTC), datetime.now(UTC)))
    assert (type(error), error.code) == (GiveUp, "dialog360_usage_unknown")
    assert vendor.asked == []


@pytest.mark.parametrize(("through", "path"), [(meta, "/v24.0/me"), (dialog360, "/health_status")])
def test_a_good_key_passes_the_check(vendor: Vendor, through: Maker, path: str) -> None:
    vendor.answers(Answer(body={"id": "1"}))
    through(vendor.url).check()
    assert vendor.asked[0].path == path


@either
def test_an_id_cannot_leave_its_place_in_the_path(through: Maker, vendor: Vendor) -> None:
    assert failure_of(lambda: through(vendor.url).delete_media("..")).code == "ref_malformed"
    assert vendor.asked == []
    vendor.answers(Answer(body={"success": True}))
    through(vendor.url).delete_media("../me?x=/")
    assert vendor.asked[0].path.endswith("/..%2Fme%3Fx%3D%2F")
