"""What a refusal by an S3 store, or a wrong answer, means for the job."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from providers.asking import whereabouts
from providers.pauses import asked_pause

ACCESS_KEY: Final = "S3_ACCESS_KEY_ID"
BUCKET: Final = "S3_BUCKET"


def told(error: Any) -> tuple[str, int]:
    """Return the code and the HTTP status of a ClientError, "" and 0 for what it does not tell."""
    answer: Mapping[str, Any] = error.response
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return str(answer.get("Error", {}).get("Code", "")), status


def is_unknown(error: Any) -> bool:
    """Return whether the store does not know this question at all, as Supabase does not know versions."""
    code, status = told(error)
    return code in {"NotImplemented", "MethodNotAllowed"} or status == HTTPStatus.NOT_IMPLEMENTED


def meaning(error: Exception) -> JobError:
    """Say what an error of the SDK, of its transport, or a wrong answer means for the job."""
    from botocore import exceptions as s3
    from botocore.parsers import ResponseParserError
    from urllib3 import exceptions as wire

    match error:
        case s3.ClientError():
            return _refusal(*told(error), error.response.get("ResponseMetadata", {}).get("HTTPHeaders"))
        case s3.ConnectTimeoutError() | s3.ReadTimeoutError() | wire.TimeoutError():
            return TryAgain("s3_timeout", "the object store did not answer in time")
        case s3.ConnectionError() | s3.HTTPClientError() | wire.HTTPError():
            return TryAgain("s3_unreachable", "the connection to the object store failed")
        case ResponseParserError():
            return TryAgain("s3_garbled", "the object store answered something that is not S3")
        case _:
            return TryAgain("s3_failed", f"the object store's SDK failed with {whereabouts(error)}")


def meaning_of_bucket(error: Exception) -> JobError:
    """Say what an error means that came of asking for the bucket itself."""
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
