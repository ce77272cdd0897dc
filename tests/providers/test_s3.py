"""The bucket, against a real S3 server on loopback and against one that misbehaves."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from boto3.session import Session
from moto.server import ThreadedMotoServer

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from providers.s3 import Described, Objects
from tests.providers.scripted import Answer, Vendor
from tests.providers.traces import assert_says_nothing_of, failure_of

KEY = "b_1/recordings/marigold.wav"
SECRETS = ("marigold", "s-secret")


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@cache
def connect(endpoint: str, **changes: Any) -> Objects:
    values: dict[str, Any] = {
        "endpoint": endpoint,
        "region": "us-east-1",
        "access_key": "k",
        "secret_key": "s-secret",
        "bucket": "recordings",
        "timeout": 5.0,
    }
    return Objects(**values | changes)


@pytest.fixture(scope="module")
def admin(moto: str) -> Any:
    client = Session().client(
        "s3", endpoint_url=moto, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
    )
    client.create_bucket(Bucket="recordings")
    client.create_bucket(Bucket="versioned")
    client.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture
def objects(moto: str, admin: Any) -> Objects:
    return connect(moto)


def test_what_is_put_is_described_got_and_deleted(objects: Objects) -> None:
    objects.put(KEY, b"RIFF....", "audio/wav")
    assert objects.describe(KEY) == Described(bytes=8, content_type="audio/wav")
    assert objects.get(KEY) == b"RIFF...."
    objects.delete(KEY)
    for call in (objects.describe, objects.get):
        error = failure_of(lambda call=call: call(KEY))  # type: ignore[misc] # mypy cannot infer a default
        assert isinstance(error, GiveUp)
        assert error.code == "object_missing"
        assert_says_nothing_of(error, *SECRETS)


def test_an_object_of_no_bytes_is_described_as_such(objects: Objects) -> None:
    objects.put(KEY, b"", "audio/wav")
    assert objects.describe(KEY).bytes == 0
    assert objects.get(KEY) == b""


def test_deleting_what_is_not_there_is_done(objects: Objects) -> None:
    objects.delete("b_1/never-was")


def test_deleting_nothing_leaves_no_marker_behind(moto: str, admin: Any) -> None:
    connect(moto, bucket="versioned").delete("b_1/never-was")
    assert "DeleteMarkers" not in admin.list_object_versions(Bucket="versioned", Prefix="b_1/never-was")


@pytest.mark.parametrize("verb", ["describe", "get", "delete"])
def test_an_object_without_a_key_is_a_bug(objects: Objects, verb: str) -> None:
    with pytest.raises(ValueError, match="has a key"):
        getattr(objects, verb)("")


def test_a_link_opens_the_object_and_nothing_else(objects: Objects, moto: str) -> None:
    objects.put(KEY, b"sound", "audio/wav")
    link = objects.presign(KEY, timedelta(hours=1))
    assert link.startswith(f"{moto}/recordings/{KEY}?")
    assert "X-Amz-Expires=3600" in link
    assert "s-secret" not in link
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == b"sound"


@pytest.mark.parametrize("life", [timedelta(0), timedelta(days=8), timedelta(seconds=-5)])
def test_a_link_lives_from_a_second_to_a_week(objects: Objects, life: timedelta) -> None:
    with pytest.raises(ValueError, match="seven days"):
        objects.presign(KEY, life)


def test_every_version_and_marker_goes_and_no_neighbour_does(moto: str, admin: Any) -> None:
    objects = connect(moto, bucket="versioned")
    neighbour = KEY + ".json"
    for data in (b"one", b"two", b"three"):
        objects.put(KEY, data, "audio/wav")
        objects.put(neighbour, data, "application/json")
    admin.delete_object(Bucket="versioned", Key=KEY)
    objects.delete(KEY)
    left = admin.list_object_versions(Bucket="versioned")
    assert {version["Key"] for version in left["Versions"]} == {neighbour}
    assert len(left["Versions"]) == 3
    assert "DeleteMarkers" not in left


def test_encryption_is_asked_for_where_it_is_set(moto: str, admin: Any) -> None:
    connect(moto, sse="AES256").put("sealed", b"x", "text/plain")
    assert admin.head_object(Bucket="recordings", Key="sealed")["ServerSideEncryption"] == "AES256"


def test_the_check_tells_a_bucket_from_none(objects: Objects, moto: str) -> None:
    objects.check()
    error = failure_of(connect(moto, bucket="nowhere").check)
    assert isinstance(error, Misconfigured)
    assert (error.code, error.setting) == ("s3_no_such_bucket", "S3_BUCKET")


@pytest.mark.parametrize("verb", ["describe", "get", "delete"])
def test_a_missing_bucket_is_no_missing_object(moto: str, admin: Any, verb: str) -> None:
    error = failure_of(lambda: getattr(connect(moto, bucket="nowhere"), verb)(KEY))
    assert isinstance(error, Misconfigured)
    assert error.setting == "S3_BUCKET"


def test_an_endpoint_may_carry_a_path(vendor: Vendor) -> None:
    vendor.answers(Answer(headers={"content-type": "audio/wav"}))
    connect(vendor.url + "/storage/v1/s3").put(KEY, b"x", "audio/wav")
    [asked] = vendor.asked
    assert (asked.method, asked.path) == ("PUT", f"/storage/v1/s3/recordings/{KEY}")
    assert not [name for name in asked.headers if "checksum" in name]


def xml(code: str) -> str:
    return f"<Error><Code>{code}</Code><Message>{KEY} s-secret</Message><Resource>{KEY}</Resource></Error>"


def answer(status: int, code: str, **headers: str) -> Answer:
    return Answer(status, xml(code), {name.replace("_", "-"): value for name, value in headers.items()}, "text/xml")


@pytest.mark.parametrize(
    ("given", "kind", "code"),
    [
        (answer(404, "NoSuchKey"), GiveUp, "object_missing"),
        (answer(404, "NoSuchBucket"), Misconfigured, "s3_no_such_bucket"),
        (answer(403, "AccessDenied"), Misconfigured, "s3_key_refused"),
        (answer(403, "SignatureDoesNotMatch"), Misconfigured, "s3_key_refused"),
        (answer(403, "RequestTimeTooSkewed"), TryAgain, "s3_clock_skewed"),
        (answer(301, "PermanentRedirect"), Misconfigured, "s3_elsewhere"),
        (answer(307, "", location="http://127.0.0.1:1/"), Misconfigured, "s3_elsewhere"),
        (answer(400, "AuthorizationHeaderMalformed"), Misconfigured, "s3_elsewhere"),
        (answer(400, "EntityTooLarge"), GiveUp, "s3_refused"),
        (answer(400, "InvalidRequest"), GiveUp, "s3_refused"),
        (answer(501, "NotImplemented"), GiveUp, "s3_refused"),
        (answer(400, "RequestTimeout"), TryAgain, "s3_unready"),
        (answer(500, "InternalError"), TryAgain, "s3_down"),
        (answer(503, "ServiceUnavailable"), TryAgain, "s3_down"),
        (answer(503, "SlowDown", retry_after="9"), RateLimited, "s3_busy"),
    ],
)
def test_what_a_refusal_means(vendor: Vendor, given: Answer, kind: type[JobError], code: str) -> None:
    vendor.answers(given)
    error = failure_of(lambda: connect(vendor.url).get(KEY))
    assert (type(error), error.code) == (kind, code)
    assert len(vendor.asked) == 1
    assert_says_nothing_of(error, *SECRETS)
    assert not isinstance(error, RateLimited) or error.retry_after == 9.0


def test_a_store_without_versions_is_told_to_delete_plainly(vendor: Vendor) -> None:
    vendor.answers(answer(501, "NotImplemented"), Answer(204))
    connect(vendor.url).delete(KEY)
    assert [(asked.method, "versions" in asked.query) for asked in vendor.asked] == [("GET", True), ("DELETE", False)]


def test_a_store_that_lists_no_versions_of_what_is_there_is_told_to_delete_plainly(vendor: Vendor) -> None:
    nothing = "<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>"
    vendor.answers(Answer(200, nothing, kind="text/xml"), Answer(200, b"x"), Answer(204))
    connect(vendor.url).delete(KEY)
    assert [asked.method for asked in vendor.asked] == ["GET", "HEAD", "DELETE"]


def test_a_delete_that_may_not_look_for_versions_deletes_nothing(vendor: Vendor) -> None:
    vendor.answers(answer(403, "AccessDenied"), Answer(204))
    assert failure_of(lambda: connect(vendor.url).delete(KEY)).code == "s3_key_refused"
    assert len(vendor.asked) == 1


def test_a_page_instead_of_a_list_is_tried_again(vendor: Vendor) -> None:
    vendor.answers(Answer(body="<html><p>marigold", kind="text/html"))
    error = failure_of(lambda: connect(vendor.url).delete(KEY))
    assert (type(error), error.code) == (TryAgain, "s3_down")
    assert_says_nothing_of(error, *SECRETS)
