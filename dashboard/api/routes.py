"""The API's addresses: who asks, what is asked, and the answer."""

import logging

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboard.api import batches
from dashboard.api import openapi as document
from dashboard.api.body import Job, many_jobs, one_batch, one_job, read_body
from dashboard.api.enqueueing import Enqueued, enqueue, once_of
from dashboard.api.keys import admit
from dashboard.api.reading import read
from ledger import queries
from models.keys import Scope

ACCEPTED = 202
log = logging.getLogger(__name__)


async def enqueue_one(request: Request) -> Response:
    """Enqueue the job in the body."""
    key = await run_in_threadpool(admit, _engine(request), request, Scope.WRITE)
    once = once_of(request.headers.get("idempotency-key"))
    jobs = [one_job(await read_body(request))]
    done = await run_in_threadpool(enqueue, _engine(request), key, jobs, once=once, path=request.url.path)
    (job_id,) = done.ids
    return _accepted({"id": job_id}, done, jobs, {"Location": f"/v1/jobs/{job_id}"})


async def enqueue_many(request: Request) -> Response:
    """Enqueue the jobs in the body: all or none."""
    key = await run_in_threadpool(admit, _engine(request), request, Scope.WRITE)
    once = once_of(request.headers.get("idempotency-key"))
    jobs = many_jobs(await read_body(request))
    done = await run_in_threadpool(enqueue, _engine(request), key, jobs, once=once, path=request.url.path)
    return _accepted({"ids": done.ids}, done, jobs, {})


async def enqueue_batch(request: Request) -> Response:
    """Enqueue the jobs in the body as one batch, with what follows it: all or none."""
    key = await run_in_threadpool(admit, _engine(request), request, Scope.WRITE)
    once = once_of(request.headers.get("idempotency-key"))
    asked = one_batch(await read_body(request))
    batch_id, done = await run_in_threadpool(
        batches.enqueue, _engine(request), key, asked, once=once, path=request.url.path
    )
    return _accepted({"id": batch_id, "jobs": done.ids}, done, asked.jobs, {"Location": f"/v1/batches/{batch_id}"})


def read_batch(request: Request) -> Response:
    """Answer how one batch stands."""
    key = admit(_engine(request), request, Scope.READ)
    return JSONResponse(batches.read(_engine(request), key, request.path_params["id"]))


def read_job(request: Request) -> Response:
    """Answer how one job stands."""
    key = admit(_engine(request), request, Scope.READ)
    return JSONResponse(read(_engine(request), key, request.path_params["id"]))


def openapi(request: Request) -> Response:
    """Answer with the API's description; it holds nothing of anybody, and needs no key."""
    with queries.looking(_engine(request)) as db:
        return JSONResponse(document.describe(queries.read_kinds(db)))


def _accepted(body: dict[str, object], done: Enqueued, jobs: list[Job], headers: dict[str, str]) -> Response:
    if done.replayed:
        headers["Idempotency-Replayed"] = "true"
        log.info("api.replayed", extra={"count": len(jobs)})
    else:
        log.info("api.enqueued", extra={"count": len(jobs)})
    return JSONResponse(body, ACCEPTED, headers)


def _engine(request: Request) -> Engine:
    found: Engine = request.app.state.engine
    return found
