"""The bucket: recordings and bundles in any store that speaks S3."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from time import monotonic
from typing import Any, Final

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from providers.asking import ask, whereabouts
from providers.once import Once
from providers.pauses import asked_pause
from providers.required import address, required, secret
from providers.s3_client import ENDPOINT, REGION, s3_client

__all__ = ["Described", "Objects"]

ACCESS_KEY: Final = "S3_ACCESS_KEY_ID"
SECRET_KEY: Final = "S3_SECRET_ACCESS_KEY"  # noqa: S105 - the setting's name
BUCKET: Final = "S3_BUCKET"
SSE: Final = "S3_ENCRYPTION"

LONGEST_LINK: Final = timedelta(days=7)
"""The protocol's own limit."""

CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Described:
    """What the store says of an object without sending it: its size in bytes and its media type."""

    bytes: int
    content_type: str


class Objects:
    """A bucket that any number of threads may share; `timeout` is in seconds for a silence, and for a whole get.

    An empty `endpoint` is AWS itself; `sse` is AES256 or aws:kms, or empty where the store encrypts by itself and
    refuses to be told (Supabase). Raises Misconfigured when a value is missing; imports the SDK when first used.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        region: str,
        access_key: str,
        secret_key: str,
        bucket: str,
        sse: str = "",
        timeout: float = 60.0,
    ) -> None:
        base = address(endpoint, ENDPOINT) if endpoint else None
        region = required(region, REGION)
        keys = secret(access_key, ACCESS_KEY), secret(secret_key, SECRET_KEY)
        self._bucket = required(bucket, BUCKET)
        self._sse = _sse(sse)
        self._timeout = timeout
        self._client = Once(lambda: s3_client(endpoint=base, region=region, keys=keys, timeout=timeout))

    def describe(self, key: str) -> Described:
        """Return an object's size and type; raise GiveUp `object_missing` when there is none."""
        key = _named(key)

        def read() -> Described:
            head = self._client().head_object(Bucket=self._bucket, Key=key)
            return Described(bytes=head["ContentLength"], content_type=head.get("ContentType", ""))

        try:
            return ask(read, meaning)
        except GiveUp as missing:
            if missing.code == "object_missing":
                self.check()  # to a HEAD a missing bucket looks the same, and that is no single job's fault
            raise

    def presign(self, key: str, expires: timedelta) -> str:
        """Return an address at which anybody can read the object until it expires; nothing is asked of the store.

        The address is a secret. It stays good for a deleted and rewritten object, so let it be short.
        """
        key = _named(key)
        if not timedelta(seconds=1) <= expires <= LONGEST_LINK:
            raise ValueError("a link lives from a second to seven days")
        return ask(
            lambda: self._client().generate_presigned_url(
                "get_object",
                Params={"Bucket": self._bucket, "Key": key},
                ExpiresIn=int(expires.total_seconds()),
            ),
            meaning,
        )

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Write an object, over any that is there."""
        key = _named(key)

        def write() -> None:
            encrypted: Any = {"ServerSideEncryption": self._sse} if self._sse else {}
            self._client().put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type, **encrypted)

        ask(write, meaning)

    def get(self, key: str) -> bytes:
        """Return an object's bytes; raise GiveUp `object_missing` when there is none."""
        key = _named(key)

        def read() -> bytes:
            deadline = monotonic() + self._timeout
            answer = self._client().get_object(Bucket=self._bucket, Key=key)
            parts: list[bytes] = []
            with answer["Body"] as stream:
                raw: Any = stream  # urllib3's own: it alone can read what has come without waiting for more
                while part := raw.read1(CHUNK):
                    if monotonic() > deadline:
                        raise TryAgain("s3_timeout", "the object did not come to its end in time")
                    parts.append(part)
            if sum(map(len, parts)) != answer["ContentLength"]:
                raise TryAgain("s3_unreachable", "the object came without its end")
            return b"".join(parts)

        return ask(read, meaning)

    def delete(self, key: str) -> None:
        """Delete an object with every version and delete marker of it; one that is not there is deleted already.

        In a bucket with versions a plain delete only hides the bytes, and even of nothing it leaves a marker with
        the key's name. A store without versions (Supabase) cannot list them; there the plain delete is the real one.
        """
        key = _named(key)

        def delete() -> None:
            versions = self._versions(key)
            for version in versions or []:
                self._client().delete_object(Bucket=self._bucket, Key=key, VersionId=version)
            if versions is None or (not versions and self._is_there(key)):
                self._client().delete_object(Bucket=self._bucket, Key=key)

        ask(delete, meaning)

    def check(self) -> None:
        """Ask whether the bucket is there and the keys open it."""
        ask(lambda: self._client().head_bucket(Bucket=self._bucket), _meaning_of_bucket)

    def close(self) -> None:
        """Close the connections."""
        if client := self._client.made:
            client.close()

    def _versions(self, key: str) -> list[str] | None:
        """Return the ids of an object's versions and markers, None where the store knows no versions."""
        client, found = self._client(), list[str]()
        try:
            for page in client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key):
                listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                found += [version["VersionId"] for version in listed if version["Key"] == key]
                if any(version["Key"] != key for version in listed):
                    break  # keys come in order, so the rest are neighbours with a longer name
        except client.exceptions.ClientError as error:
            if not _is_unknown(error):
                raise
            return None
        return found

    def _is_there(self, key: str) -> bool:
        client = self._client()
        try:
            client.head_object(Bucket=self._bucket, Key=key)
        except client.exceptions.ClientError as error:
            if _told(error)[1] == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True


def _sse(value: str) -> str:
    if value not in {"AES256", "aws:kms", ""}:
        raise Misconfigured("setting_malformed", f"{SSE} is neither AES256 nor aws:kms nor empty", setting=SSE)
    return value


def _named(key: str) -> str:
    if not key:
        raise ValueError("an object has a key")
    return key


def _is_unknown(error: Any) -> bool:
    code, status = _told(error)
    return code in {"NotImplemented", "MethodNotAllowed"} or status == HTTPStatus.NOT_IMPLEMENTED


def _told(error: Any) -> tuple[str, int]:
    """Return the code and the HTTP status of a ClientError, "" and 0 for what it does not tell."""
    answer: Mapping[str, Any] = error.response
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return str(answer.get("Error", {}).get("Code", "")), status


def meaning(error: Exception) -> JobError:
    """Say what an error of the SDK, of its transport, or a wrong answer means for the job."""
    from botocore import exceptions as s3
    from botocore.parsers import ResponseParserError
    from urllib3 import exceptions as wire

    match error:
        case s3.ClientError():
            return _refusal(*_told(error), error.response.get("ResponseMetadata", {}).get("HTTPHeaders"))
        case s3.ConnectTimeoutError() | s3.ReadTimeoutError() | wire.TimeoutError():
            return TryAgain("s3_timeout", "the object store did not answer in time")
        case s3.ConnectionError() | s3.HTTPClientError() | wire.HTTPError():
            return TryAgain("s3_unreachable", "the connection to the object store failed")
        case ResponseParserError():
            return TryAgain("s3_garbled", "the object store answered something that is not S3")
        case _:
            return TryAgain("s3_failed", f"the object store's SDK failed with {whereabouts(error)}")


def _meaning_of_bucket(error: Exception) -> JobError:
    failure = meaning(error)
    return _no_bucket() if failure.code == "object_missing" else failure


def _no_bucket() -> Misconfigured:
    return Misconfigured("s3_no_such_bucket", "the object store has no such bucket", setting=BUCKET)


def _refusal(code: str, status: int, headers: Mapping[str, str] | None) -> JobError:
    failure: JobError = GiveUp("s3_refused", f"the object store refused the request with status {status}")
    match code, status:
        case "NoSuchBucket", _:
            failure = _no_bucket()
        case (("NoSuchKey" | "404" | "NoSuchVersion"), _):
            failure = GiveUp("object_missing", "there is no such object in the bucket")
        case (("SlowDown" | "TooManyRequests" | "429"), _):
            failure = RateLimited("s3_busy", "the object store asked for a pause", asked_pause(headers), "objects")
        case ("NotImplemented", _):
            pass
        case "RequestTimeTooSkewed", _:
            failure = TryAgain("s3_clock_skewed", "this machine's clock is not the object store's")
        case (("RequestTimeout" | "OperationAborted"), _):
            failure = TryAgain("s3_unready", "the object store could not take the request now")
        case _, (401 | 403):
            failure = Misconfigured("s3_key_refused", "the object store refused the keys", setting=ACCESS_KEY)
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.BAD_REQUEST:
            failure = TryAgain("s3_down", f"the object store failed with status {status}")
    return failure
