"""The bucket: recordings and bundles in any store that speaks S3."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, Final

from ledger.errors import GiveUp, Misconfigured, TryAgain
from providers import s3_copies
from providers.asking import ask
from providers.once import Once
from providers.required import address, required, secret
from providers.s3_client import ENDPOINT, REGION, s3_client
from providers.s3_copies import Held
from providers.s3_refusals import ACCESS_KEY, BUCKET, meaning, meaning_of_bucket

__all__ = ["Described", "Held", "Objects", "meaning"]

SECRET_KEY: Final = "S3_SECRET_ACCESS_KEY"  # noqa: S105 - the setting's name
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
        """Delete an object with every version, delete marker and unfinished upload of it; what is not there is done.

        In a bucket with versions a plain delete only hides the bytes, and even of nothing it leaves a marker with
        the key's name. A store without versions (Supabase) cannot list them; there the plain delete is the real one.
        """
        key = _named(key)
        ask(lambda: s3_copies.delete(self._client(), self._bucket, key), meaning)

    def gone(self, key: str) -> bool:
        """Return whether the store has nothing of it: no version, no marker with its name, no part of an upload."""
        key = _named(key)
        return ask(lambda: s3_copies.gone(self._client(), self._bucket, key), meaning)

    def held(self, prefix: str = "") -> Iterator[Held]:
        """Yield all that the bucket holds under a prefix: versions, markers, parts of uploads; a page in memory."""
        found = s3_copies.held(self._client(), self._bucket, prefix)
        while (each := ask(lambda: next(found, None), meaning)) is not None:
            yield each

    def check(self) -> None:
        """Ask whether the bucket is there and the keys open it."""
        ask(lambda: self._client().head_bucket(Bucket=self._bucket), meaning_of_bucket)

    def close(self) -> None:
        """Close the connections."""
        if client := self._client.made:
            client.close()


def _sse(value: str) -> str:
    if value not in {"AES256", "aws:kms", ""}:
        raise Misconfigured("setting_malformed", f"{SSE} is neither AES256 nor aws:kms nor empty", setting=SSE)
    return value


def _named(key: str) -> str:
    if not key:
        raise ValueError("an object has a key")
    return key
