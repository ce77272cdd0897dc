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
from providers.s3 import Described, Held, Objects
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


def begin_upload(admin: Any, bucket: str, key: str) -> None:
    upload = admin.create_multipart_upload(Bucket=bucket, Key=key)
    part = {"Bucket": bucket, "Key": key, "UploadId": upload["UploadId"]}
    admin.upload_part(**part, PartNumber=1, Body=b"half a recording")


@pytest.mark.parametrize("bucket", ["recordings", "versioned"])
def test_the_parts_of_an_upload_that_nobody_finished_go_too_and_no_neighbours(
    moto: str, admin: Any, bucket: str
) -> None:
    objects, key = connect(moto, bucket=bucket), "b_2/recordings/half.wav"
    for name in (key, key, key + ".json"):
        begin_upload(admin, bucket, name)
    assert not objects.gone(key)
    objects.delete(key)
    assert objects.gone(key)
    left = admin.list_multipart_uploads(Bucket=bucket, Prefix=key)["Uploads"]
    assert [upload["Key"] for upload in left] == [key + ".json"]
    objects.delete(key + ".json")
    assert "Uploads" not in admin.list_multipart_uploads(Bucket=bucket)


def test_an_object_is_gone_when_no_version_no_marker_and_no_part_is_left(moto: str, admin: Any) -> None:
    objects, key = connect(moto, bucket="versioned"), "b_3/recordings/marigold.wav"
    objects.put(key + ".json", b"{}", "application/json")
    assert objects.gone(key), "a neighbour is another object"
    objects.put(key, b"one", "audio/wav")
    objects.put(key, b"two", "audio/wav")
    assert not objects.gone(key)
    newest = admin.list_object_versions(Bucket="versioned", Prefix=key)["Versions"][0]["VersionId"]
    admin.delete_object(Bucket="versioned", Key=key, VersionId=newest)
    assert not objects.gone(key), "the older version is there"
    admin.delete_object(Bucket="versioned", Key=key)
    for version in admin.list_object_versions(Bucket="versioned", Prefix=key)["Versions"]:
        if version["Key"] == key:
            admin.delete_object(Bucket="versioned", Key=key, VersionId=version["VersionId"])
    assert not objects.gone(key), "the marker has its name"
    objects.delete(key)
    assert objects.gone(key)


def test_a_listing_tells_every_version_marker_and_unfinished_upload_under_a_prefix(moto: str, admin: Any) -> None:
    objects = connect(moto, bucket="versioned")
    objects.put("b_4/one", b"1", "text/plain")
    objects.put("b_4/one", b"12", "text/plain")
    admin.delete_object(Bucket="versioned", Key="b_4/one")
    begin_upload(admin, "versioned", "b_4/two")
    objects.put("b_44/other", b"1", "text/plain")
    held = list(objects.held("b_4/"))
    assert sorted((each.key, each.form, each.bytes) for each in held) == [
        ("b_4/one", "marker", 0),
        ("b_4/one", "version", 1),
        ("b_4/one", "version", 2),
        ("b_4/two", "upload", 0),
    ]
    assert all(each.ref for each in held)
    assert {each.key for each in objects.held()} >= {"b_4/one", "b_44/other"}
    objects.delete("b_4/two")


def test_a_listing_asks_for_the_next_page_only_when_it_is_come_to(vendor: Vendor) -> None:
    page = (
        "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker>"
        "<NextVersionIdMarker>1</NextVersionIdMarker>"
        "<Version><Key>a</Key><VersionId>1</VersionId><Size>3</Size></Version></ListVersionsResult>"
    )
    vendor.answers(Answer(200, page, kind="text/xml"), answer(500, "InternalError"))
    held = connect(vendor.url).held()
    assert next(held) == Held("a", "version", "1", 3)
    assert len(vendor.asked) == 1
    error = failure_of(lambda: next(held))
    assert (type(error), error.code) == (TryAgain, "s3_down")


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
    vendor.answers(answer(501, "NotImplemented"), answer(501, "NotImplemented"), Answer(204))
    connect(vendor.url).delete(KEY)
    asked = [(asked.method, *sorted(asked.query.keys() & {"uploads", "versions"})) for asked in vendor.asked]
    assert asked == [("GET", "uploads"), ("GET", "versions"), ("DELETE",)]


LISTED = "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>{}</Key></Contents></ListBucketResult>"


@pytest.mark.parametrize(("key", "gone"), [(KEY, False), (KEY + ".json", True)])
def test_in_a_store_without_versions_an_object_is_gone_when_it_is_not_listed(
    vendor: Vendor, key: str, gone: bool
) -> None:
    unknown = answer(501, "NotImplemented")
    vendor.answers(unknown, Answer(200, LISTED.format(key), kind="text/xml"), unknown)
    assert connect(vendor.url).gone(KEY) is gone


def test_a_store_without_versions_is_listed_plainly(vendor: Vendor) -> None:
    unknown = answer(501, "NotImplemented")
    vendor.answers(unknown, Answer(200, LISTED.format("b_1/x"), kind="text/xml"), unknown)
    assert list(connect(vendor.url).held("b_1/")) == [Held("b_1/x", "object")]


def test_a_bucket_that_is_not_there_is_no_proof_that_an_object_is_gone(moto: str, vendor: Vendor) -> None:
    assert failure_of(lambda: connect(moto, bucket="nowhere").gone(KEY)).code == "s3_no_such_bucket"
    vendor.answers(answer(501, "NotImplemented"), answer(404, "NoSuchBucket"))
    assert failure_of(lambda: connect(vendor.url).gone(KEY)).code == "s3_no_such_bucket"


def test_a_store_that_lists_no_versions_of_what_is_there_is_told_to_delete_plainly(vendor: Vendor) -> None:
    nothing = "<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>"
    listed = Answer(200, LISTED.format(KEY), kind="text/xml")
    vendor.answers(answer(501, "NotImplemented"), Answer(200, nothing, kind="text/xml"), listed, Answer(204))
    connect(vendor.url).delete(KEY)
    assert [asked.method for asked in vendor.asked] == ["GET", "GET", "GET", "DELETE"]


def test_a_delete_that_may_not_look_for_versions_deletes_nothing(vendor: Vendor) -> None:
    vendor.answers(answer(403, "AccessDenied"), Answer(204))
    assert failure_of(lambda: connect(vendor.url).delete(KEY)).code == "s3_key_refused"
    assert len(vendor.asked) == 1


def test_a_page_instead_of_a_list_is_tried_again(vendor: Vendor) -> None:
    vendor.answers(Answer(body="<html><p>marigold", kind="text/html"))
    error = failure_of(lambda: connect(vendor.url).delete(KEY))
    assert (type(error), error.code) == (TryAgain, "s3_down")
    assert_says_nothing_of(error, *SECRETS)
