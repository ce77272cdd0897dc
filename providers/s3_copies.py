"""All that a bucket holds of an object: versions, markers that hide it, parts of uploads that nobody finished."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from providers.s3_refusals import is_unknown, told

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Held:
    """One thing that the bucket holds under a key, and its size in bytes, 0 where the store does not tell.

    `ref` is the id of the version or the upload, empty where the store knows no versions.
    """

    key: str
    form: Literal["object", "version", "marker", "upload"]
    ref: str = ""
    bytes: int = 0


def held(client: "S3Client", bucket: str, prefix: str) -> Iterator[Held]:
    """Yield everything under a prefix, also what a plain listing hides; a page of a thousand is in memory at a time."""
    try:
        for page in _version_pages(client, bucket, prefix):
            yield from page
    except client.exceptions.ClientError as error:
        if not is_unknown(error):
            raise
        for listed in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for each in listed.get("Contents", []):
                yield Held(each["Key"], "object", bytes=each.get("Size", 0))
    for uploads in _upload_pages(client, bucket, prefix):
        yield from uploads


def delete(client: "S3Client", bucket: str, key: str) -> None:
    """Delete every version and marker of a key, and abort every upload to it; a plain delete where none are known.

    Uploads go first: one that was completed meanwhile would be a version that nobody listed.
    """
    for upload in _of_key(key, _upload_pages(client, bucket, key)):
        try:
            client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload.ref)
        except client.exceptions.ClientError as error:
            if told(error)[0] != "NoSuchUpload":  # completed or aborted since it was listed
                raise
    versions = _versions(client, bucket, key)
    for version in versions or []:
        client.delete_object(Bucket=bucket, Key=key, VersionId=version.ref)
    if versions is None or (not versions and _is_there(client, bucket, key)):
        client.delete_object(Bucket=bucket, Key=key)


def gone(client: "S3Client", bucket: str, key: str) -> bool:
    """Return whether nothing is left under the key; asked with a listing, which tells a missing bucket apart."""
    if _versions(client, bucket, key) or _is_there(client, bucket, key):
        return False
    return not _of_key(key, _upload_pages(client, bucket, key))


def _versions(client: "S3Client", bucket: str, key: str) -> list[Held] | None:
    """Return an object's versions and markers, None where the store knows no versions."""
    try:
        return _of_key(key, _version_pages(client, bucket, key))
    except client.exceptions.ClientError as error:
        if not is_unknown(error):
            raise
        return None


def _version_pages(client: "S3Client", bucket: str, prefix: str) -> Iterator[list[Held]]:
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        versions = (Held(v["Key"], "version", v["VersionId"], v.get("Size", 0)) for v in page.get("Versions", []))
        yield [*versions, *(Held(m["Key"], "marker", m["VersionId"]) for m in page.get("DeleteMarkers", []))]


def _upload_pages(client: "S3Client", bucket: str, prefix: str) -> Iterator[list[Held]]:
    """Yield what was begun and never finished: no other listing shows its parts, which lie there and cost."""
    try:
        for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
            yield [Held(each["Key"], "upload", each["UploadId"]) for each in page.get("Uploads", [])]
    except client.exceptions.ClientError as error:
        if not is_unknown(error):
            raise


def _of_key(key: str, pages: Iterator[list[Held]]) -> list[Held]:
    """Return what is of this very key; keys come in order, so after a neighbour with a longer name none follows."""
    found: list[Held] = []
    for page in pages:
        found += [each for each in page if each.key == key]
        if any(each.key != key for each in page):
            break
    return found


def _is_there(client: "S3Client", bucket: str, key: str) -> bool:
    listed: Any = client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    return any(each["Key"] == key for each in listed.get("Contents", []))
