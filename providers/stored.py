"""All that an S3 account holds, as an audit reads it: every version and marker in every bucket, unfinished uploads."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from providers.s3_client import s3_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UNKNOWN = ("NotImplemented", "MethodNotAllowed", "501", "405")
"""What a store answers that knows no versions, no tags, or no uploads in parts."""

ROOM = 700
"""Bytes: a key has 1,024 at most, and metadata 2,048."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One thing in a bucket: a version of an object, a marker that one was deleted, or an upload that was never ended.

    `about` is whatever the store says of it: its metadata, tags and type. `read` returns its bytes.
    """

    bucket: str
    key: str
    what: str = "version"
    size: int = 0
    about: tuple[str, ...] = ()
    read: Callable[[], bytes] | None = field(default=None, compare=False)


class Account:
    """The store as one pair of keys sees it; `bucket` is where something may be planted."""

    def __init__(
        self, *, endpoint: str, region: str, keys: tuple[str, str], bucket: str, timeout: float = 60.0
    ) -> None:
        self._client: S3Client = s3_client(endpoint=endpoint or None, region=region, keys=keys, timeout=timeout)
        self._bucket = bucket

    def listed(self, prefix: str = "") -> Iterator[Stored]:
        """Yield everything of all buckets whose key begins so; raises the SDK's error where the store refuses."""
        for bucket in self._client.list_buckets()["Buckets"]:
            yield from self._versions(bucket["Name"], prefix)
            yield from self._uploads(bucket["Name"], prefix)

    @contextmanager
    def planted(self, texts: Iterable[str]) -> Iterator[str]:
        """Store objects with these texts in their keys, bodies and, if ASCII, metadata; yield the keys' prefix."""
        prefix = f"audit-{secrets.token_hex(8)}/"
        try:
            for at, (key, body, about) in enumerate(_together(texts)):
                said = {"said": about} if about else {}
                self._client.put_object(Bucket=self._bucket, Key=f"{prefix}{at} {key}", Body=body, Metadata=said)
            yield prefix
        finally:
            for each in list(self._versions(self._bucket, prefix, remove=True)):
                assert each.key.startswith(prefix)  # noqa: S101 - nothing else may go

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _versions(self, bucket: str, prefix: str, *, remove: bool = False) -> Iterator[Stored]:
        for key, version, is_marker in self._keys(bucket, prefix):
            named: dict[str, Any] = {"Bucket": bucket, "Key": key} | ({"VersionId": version} if version else {})
            if remove:
                self._client.delete_object(**named)
                yield Stored(bucket, key)
            elif is_marker:
                yield Stored(bucket, key, "marker")
            else:
                yield self._version(named)

    def _version(self, named: dict[str, Any]) -> Stored:
        head = self._client.head_object(**named)
        about = [head.get("ContentType", ""), head.get("ContentDisposition", "")]
        about += [f"{name} {value}" for name, value in head.get("Metadata", {}).items()]
        about += [f"{tag['Key']} {tag['Value']}" for tag in self._tags(named)]
        read = partial(self._read, named)
        return Stored(named["Bucket"], named["Key"], "version", head["ContentLength"], tuple(about), read)

    def _tags(self, named: dict[str, Any]) -> Sequence[Mapping[str, str]]:
        client = self._client
        try:
            return cast("Sequence[Mapping[str, str]]", client.get_object_tagging(**named)["TagSet"])
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in UNKNOWN:
                raise
            return []

    def _read(self, named: dict[str, Any]) -> bytes:
        return self._client.get_object(**named)["Body"].read()

    def _keys(self, bucket: str, prefix: str) -> Iterator[tuple[str, str | None, bool]]:
        """Yield key and version of all that is there; of a store without versions the keys."""
        client = self._client
        try:
            for versions in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
                for each in versions.get("Versions", []):
                    # The only one of a bucket without versions is called null, and not every store knows it by that.
                    only = each["VersionId"] == "null" and each.get("IsLatest", True)
                    yield each["Key"], None if only else each["VersionId"], False
                for marker in versions.get("DeleteMarkers", []):
                    yield marker["Key"], marker["VersionId"], True
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in UNKNOWN:
                raise
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                yield from ((each["Key"], None, False) for each in page.get("Contents", []))

    def _uploads(self, bucket: str, prefix: str) -> Iterator[Stored]:
        client = self._client
        try:
            for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
                yield from (Stored(bucket, each["Key"], "upload") for each in page.get("Uploads", []))
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in UNKNOWN:
                raise


def _together(texts: Iterable[str]) -> Iterator[tuple[str, bytes, str]]:
    """Yield texts as a key, a body and metadata, as many together as a key has room for."""
    kept: list[str] = []
    for text in texts:
        if kept and len(" ".join([*kept, text]).encode()) > ROOM:
            yield _object(kept)
            kept = []
        kept.append(text)
    if kept:
        yield _object(kept)


def _object(texts: Sequence[str]) -> tuple[str, bytes, str]:
    said = " ".join(texts)
    return said, said.encode(), " ".join(text for text in texts if text.isascii())
