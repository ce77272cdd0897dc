"""Enqueue the jobs of one request as a batch, and read one batch of the key's own business."""

import json
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, text

from dashboard.api.body import Batch
from dashboard.api.enqueueing import Enqueued, asked, canonical
from dashboard.api.problem import Problem
from ledger.keys import Key

ENQUEUE = text(
    "SELECT batch_id, job_ids, replayed FROM ledger.api_enqueue_batch_v1("
    ":id, :digest, CAST(:jobs AS jsonb), CAST(:follow AS jsonb), CAST(:once AS bytea), :request)"
)
READ = text("SELECT count(*) AS found, json_agg(b) -> 0 AS batch FROM ledger.api_batch_v1(:id, :digest, :batch) b")


def enqueue(engine: Engine, key: Key, batch: Batch, *, once: bytes | None, path: str) -> tuple[str, Enqueued]:
    """Enqueue a batch in one transaction and return its id with its jobs; raises Problem 401, 409 or 422."""
    _, request = canonical([batch.jobs, batch.follow], path)
    given = {"jobs": json.dumps(batch.jobs), "follow": json.dumps(batch.follow), "once": once, "request": request}
    row = asked(engine, ENQUEUE, {**key.values, **given}, _where)
    return str(row.batch_id), Enqueued(list(row.job_ids), row.replayed)


def read(engine: Engine, key: Key, batch_id: str) -> dict[str, Any]:
    """Return how a batch stands; raises Problem 404 if this key's business has none of that id."""
    try:
        wanted = UUID(batch_id)
    except ValueError:
        wanted = UUID(int=0)
    row = asked(engine, READ, {**key.values, "batch": wanted}, lambda _: "#")
    if not row.found:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            "no-such-batch",
            "Your business has no batch of this id. Batches are forgotten 30 days after they completed.",
        )
    told: dict[str, Any] = row.batch
    return told


def _where(place: str) -> str:
    """Return where in the body of a batch something was refused: a job by its number, or what follows by its cue."""
    return f"#/jobs/{place}" if place.isdecimal() else f"#/{place}"
