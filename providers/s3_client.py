"""The connection to an S3 store: one attempt, one address, no checksums that some stores refuse."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from ledger.errors import Misconfigured
from providers.bounds import connect_within
from providers.quiet import quiet

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ENDPOINT: Final = "S3_ENDPOINT_URL"
REGION: Final = "S3_REGION"


def s3_client(*, endpoint: str | None, region: str, keys: tuple[str, str], timeout: float) -> "S3Client":
    """Return a client that threads may share; `keys` are the access key and its secret, `timeout` is in seconds."""
    from boto3.session import Session
    from botocore.config import Config

    quiet("boto3", "botocore", "urllib3")
    # A session of our own: the default one is not safe to build clients from on two threads.
    client = Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=keys[0],
        aws_secret_access_key=keys[1],
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=connect_within(timeout),
            read_timeout=timeout,
            max_pool_connections=20,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    client.meta.events.register_first("needs-retry.s3", _stay)
    return client


def _stay(response: tuple[Any, Mapping[str, Any]] | None, **_: object) -> None:
    """Follow no redirection: the SDK does, and asks a store that redirects everything until its stack is full."""
    if response is None:
        return
    status, code = response[0].status_code, response[1].get("Error", {}).get("Code")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST or code == "AuthorizationHeaderMalformed":
        raise Misconfigured("s3_elsewhere", "the bucket lies in another region or at another address", setting=REGION)
