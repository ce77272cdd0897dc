"""Read one job of the key's own business."""

import re
from http import HTTPStatus
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from dashboard.api.enqueueing import NO_KEY
from dashboard.api.keys import unauthorized
from dashboard.api.problem import Problem
from ledger.keys import Key

READ = text("SELECT * FROM ledger.api_job_v1(:id, :digest, :job)")
JOB_ID = re.compile(r"[1-9][0-9]{0,17}")
TIMES = ("enqueued_at", "run_at", "started_at", "finished_at")


def read(engine: Engine, key: Key, job_id: str) -> dict[str, Any]:
    """Return how a job stands; raises Problem 404 if this key's business has none of that id."""
    row = _row(engine, key, int(job_id)) if JOB_ID.fullmatch(job_id) else None
    if row is None:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            "no-such-job",
            "Your business has no job of this id. Finished jobs are forgotten after 30 days.",
        )
    failed = {"code": row.error_code, "message": row.error_message} if row.error_code else None
    return {
        **{name: getattr(row, name) for name in ("id", "kind", "state", "reason", "priority")},
        **{name: getattr(row, name) for name in ("attempt", "max_attempts", "progress")},
        **{name: None if getattr(row, name) is None else getattr(row, name).isoformat() for name in TIMES},
        "last_error": failed,
    }


def _row(engine: Engine, key: Key, job_id: int) -> Any:
    try:
        with engine.connect() as db:
            return db.execute(READ, {**key.values, "job": job_id}).one_or_none()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == NO_KEY:
            raise unauthorized("unknown-key", "This key has just ended: use the one that replaced it.") from None
        raise
