"""The API's description in OpenAPI 3.1, with each kind of job as the database knows it."""

from collections.abc import Iterable
from typing import Any

from dashboard.api.body import LOWEST, MOST_BYTES, MOST_JOBS
from ledger.queries import Kind
from models.batches import Cue
from models.keys import Scope
from models.ledger import FINISHED, State

UPKEEP = "upkeep"
"""The queue of what the timetable alone enqueues; ledger.api_enqueue_v1 refuses it."""
TYPES: dict[str, dict[str, Any]] = {
    "uuid": {"type": "string", "format": "uuid"},
    "flag": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
}
ID = {"type": "integer", "format": "int64", "minimum": 1}
BATCH_ID = {"type": "string", "format": "uuid"}
FOLLOWS = (
    "`then` is enqueued once, when all jobs have ended; `if_succeeded` only if each succeeded, `if_died` only if one is"
    " dead. They take no run_at."
)
MAYBE_TIME = {"type": ["string", "null"], "format": "date-time"}
ABOUT = (
    "Enqueue jobs and ask how they stand. Every answer to a key tells its pace: RateLimit-Policy is what it may send at"
    " once and in how many seconds that is its own again, RateLimit what it has left."
)
PROBLEMS = {
    400: "The body is no JSON, or the Idempotency-Key is none.",
    401: "No key, or one that is unknown, expired or revoked.",
    403: "The key lacks the scope.",
    409: "The Idempotency-Key was used for another request.",
    413: f"More than {MOST_BYTES} bytes, or than {MOST_JOBS} jobs.",
    415: "The body is not said to be application/json.",
    422: "A job is refused: its kind, a field of its payload, its priority or its time.",
    429: "The key has sent too many requests: send this one again after Retry-After.",
    503: "The database is away: send the same again after Retry-After.",
}
OF_READING = {number: PROBLEMS[number] for number in (401, 403, 429, 503)} | {404: "Your business has no such job."}
ONCE = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A new UUID for each request; sent again with the same, it enqueues nothing, for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def describe(kinds: Iterable[Kind]) -> dict[str, Any]:
    """Return the document."""
    many = {"type": "array", "items": _ref("Job"), "maxItems": MOST_JOBS}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Nexara jobs", "version": "1", "description": ABOUT},
        "servers": [{"url": "/v1"}],
        "security": [{"key": []}],
        "paths": {
            "/jobs": {"post": _enqueue("Enqueue one job.", _ref("Job"), {"id": ID})},
            "/jobs/batch": {
                "post": _enqueue("Enqueue all of a list or none.", many, {"ids": {"type": "array", "items": ID}})
            },
            "/batches": {
                "post": _enqueue(
                    "Enqueue jobs as one batch, and once, when all have ended, what follows.",
                    _ref("Batch"),
                    {"id": BATCH_ID, "jobs": {"type": "array", "items": ID}},
                )
            },
            "/batches/{id}": {
                "get": {
                    "summary": f"How a batch stands. Needs {Scope.READ}.",
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": BATCH_ID}],
                    "responses": {
                        "200": _json("How it stands.", _ref("BatchSeen")),
                        **_problems(OF_READING | {404: "Your business has no such batch."}),
                    },
                }
            },
            "/jobs/{id}": {
                "get": {
                    "summary": f"How a job stands. Needs {Scope.READ}.",
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": ID}],
                    "responses": {"200": _json("How it stands.", _ref("JobSeen")), **_problems(OF_READING)},
                }
            },
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "nxk_…"}},
            "schemas": {
                "Job": {"oneOf": [_job(kind) for kind in kinds if kind.queue != UPKEEP]},
                "JobSeen": _seen(),
                "Batch": _object({"jobs": many, **{str(cue): _ref("Job") for cue in Cue}}, ["jobs"])
                | {"anyOf": [{"required": [str(cue)]} for cue in Cue], "description": FOLLOWS},
                "BatchSeen": _batch_seen(),
                "Problem": _problem(),
            },
        },
    }


def _enqueue(summary: str, asked: dict[str, Any], answered: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": f"{summary} Needs {Scope.WRITE}. An open job of the same key is returned instead of a second one.",
        "parameters": [ONCE],
        "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
        "responses": {"202": _json("They will be done.", _object(answered)), **_problems(PROBLEMS)},
    }


def _job(kind: Kind) -> dict[str, Any]:
    fields = {name: TYPES.get(spec["type"]) or {"enum": spec["codes"]} for name, spec in kind.fields.items()}
    required = [name for name, spec in kind.fields.items() if spec["required"]]
    return _object(
        {
            "kind": {"const": kind.kind},
            "payload": _object(fields, required),
            "priority": {"type": "integer", "minimum": 0, "maximum": LOWEST, "default": kind.priority},
            "run_at": {"type": "string", "format": "date-time"},
        },
        ["kind", "payload"],
    ) | {"description": kind.about}


def _seen() -> dict[str, Any]:
    number = {"type": "integer"}
    word = {"type": ["string", "null"]}
    return _object(
        {
            "id": ID,
            "kind": {"type": "string"},
            "state": {"enum": [str(state) for state in State]},
            "reason": word,
            "priority": number,
            "attempt": number,
            "max_attempts": number,
            "progress": {
                "type": ["integer", "null"],
                "description": "In percent, where its kind says so.",
            },
            "enqueued_at": {"type": "string", "format": "date-time"},
            "run_at": {"type": "string", "format": "date-time"},
            "started_at": MAYBE_TIME,
            "finished_at": MAYBE_TIME,
            "last_error": {"type": ["object", "null"], "properties": {"code": word, "message": word}},
        }
    )


def _batch_seen() -> dict[str, Any]:
    number = {"type": "integer"}
    return _object(
        {
            "id": BATCH_ID,
            "state": {"enum": ["open", "sealed", "complete"]},
            **dict.fromkeys(("members", "open", *(str(state) for state in FINISHED)), number),
            "opened_at": {"type": "string", "format": "date-time"},
            "sealed_at": MAYBE_TIME,
            "completed_at": MAYBE_TIME,
        }
    )


def _problem() -> dict[str, Any]:
    error = _object({"pointer": {"type": "string"}, "detail": {"type": "string"}})
    told = {name: {"type": "string"} for name in ("type", "title", "detail")}
    shape = _object(
        {**told, "status": {"type": "integer"}, "errors": {"type": "array", "items": error}}, [*told, "status"]
    )
    return shape | {"description": "RFC 9457; `type` names what is wrong, `detail` says what to do."}


def _problems(told: dict[int, str]) -> dict[str, Any]:
    return {
        str(status): {"description": what, "content": {"application/problem+json": {"schema": _ref("Problem")}}}
        for status, what in told.items()
    }


def _json(what: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": schema}}}


def _object(fields: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    needed = list(fields) if required is None else required
    return {"type": "object", "properties": fields, "required": needed, "additionalProperties": False}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}
