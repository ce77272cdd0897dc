"""What a request asks for: its body read within bounds, each job checked for its shape, nothing quoted back."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, NoReturn

from starlette.requests import Request

from dashboard.api.problem import Problem, refused
from models.batches import Cue

MOST_BYTES = 1024 * 1024
MOST_JOBS = 1000
"""Of a batch, which is one transaction."""
FIELDS = frozenset({"kind", "payload", "priority", "run_at"})
KIND = re.compile(r"[a-z_.]{1,60}")
LOWEST = 3

Job = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request makes a batch of: its jobs, and what follows, by its cue."""

    jobs: list[Job]
    follow: dict[str, Job]


async def read_body(request: Request) -> Any:
    """Return the JSON of a request; raises Problem 415, 413 or 400."""
    media, _, more = request.headers.get("content-type", "").partition(";")
    charset = more.strip().lower().removeprefix("charset=").strip('"')
    if media.strip().lower() != "application/json" or charset not in ("", "utf-8"):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "content-type",
            "Send JSON in UTF-8, with the header Content-Type: application/json.",
            headers={"Accept-Post": "application/json"},
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise _too_large(f"A body holds {MOST_BYTES} bytes at most: send the jobs in several batches.")
    try:
        return json.loads(body.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Problem(
            HTTPStatus.BAD_REQUEST, "malformed", "The body is not JSON: send what JSON.stringify makes of the job."
        ) from None


def one_job(given: Any, where: str = "#") -> Job:
    """Return a job as the ledger is given it; raises Problem 422 that names the field."""
    if not isinstance(given, dict):
        raise refused(where, 'A job is an object, such as {"kind": …, "payload": {…}}.')
    if given.keys() - FIELDS:
        raise refused(where, f"A job has a field that is none of: {', '.join(sorted(FIELDS))}.")
    kind, payload = given.get("kind"), given.get("payload")
    if not isinstance(kind, str) or not KIND.fullmatch(kind):
        raise refused(f"{where}/kind", "A kind is a name such as conversations.summarize: /v1/openapi.json lists them.")
    if not isinstance(payload, dict):
        raise refused(f"{where}/payload", "A payload is an object with the fields of its kind.")
    job: Job = {"kind": kind, "payload": payload}
    priority = given.get("priority")
    if priority is not None:
        if type(priority) is not int or not 0 <= priority <= LOWEST:
            raise refused(f"{where}/priority", "A priority is 0 (first) to 3 (last).")
        job["priority"] = priority
    if given.get("run_at") is not None:
        job["run_at"] = _moment(given["run_at"], f"{where}/run_at")
    return job


def many_jobs(given: Any, where: str = "#") -> list[Job]:
    """Return the jobs of a list; raises Problem 422 or 413."""
    if not isinstance(given, list):
        raise refused(where, "A batch is a list of jobs.")
    if len(given) > MOST_JOBS:
        raise _too_large(f"A batch holds {MOST_JOBS} jobs at most: send them in several.")
    return [one_job(each, f"{where}/{place}") for place, each in enumerate(given)]


def one_batch(given: Any) -> Batch:
    """Return the jobs of a batch and what follows it; raises Problem 422 or 413."""
    known = {"jobs", *Cue}
    if not isinstance(given, dict) or given.keys() - known:
        raise refused("#", f"A batch is an object of these fields and no other: {', '.join(sorted(known))}.")
    follow = {str(cue): one_job(given[cue], f"#/{cue}") for cue in Cue if given.get(cue) is not None}
    if not follow:
        raise refused("#/then", f"A batch says what follows it: a job in one of {', '.join(Cue)}.")
    for cue, job in follow.items():
        if "run_at" in job:
            raise refused(f"#/{cue}/run_at", "What follows a batch is due when the batch completes.")
    return Batch(many_jobs(given.get("jobs"), "#/jobs"), follow)


def _moment(given: Any, where: str) -> str:
    try:
        at = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise refused(where, "run_at is a time in ISO 8601 with its offset, such as 2026-11-23T09:30:00Z.")
    return at.isoformat()


def _too_large(detail: str) -> Problem:
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", detail)


def _no_number(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")
