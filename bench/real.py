"""The product's own worker, `nexara worker` with all its kinds: its memory and its start."""

import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from bench.contestants import START, Contestant, Failed
from bench.footprint import memory_of
from bench.line import Bench, Value
from jobs.registry import load
from sandbox.child import last_lines
from sandbox.program import Program

LOOK_EVERY = 0.005  # seconds
HOUSE = UUID(int=0)
ENQUEUE = "SELECT ledger.enqueue_job_v1(%s, %s, %s)"
CONVERSATION = """
WITH someone AS (INSERT INTO nexara.people (business_id) VALUES (%(business)s::uuid) RETURNING id)
INSERT INTO nexara.conversations (business_id, id, person_id, channel, ended_at, event_key)
SELECT %(business)s::uuid, %(id)s::uuid, id, 'web_chat', now(), encode(sha256(%(id)s::text::bytea), 'hex') FROM someone
"""
STATES = "SELECT state FROM ledger.jobs WHERE kind = ANY (%s)"
NO_VENDOR = {
    "DEEPGRAM_API_KEY": "none",
    "ANTHROPIC_API_KEY": "none",
    "RESEND_API_KEY": "none",
    "S3_ENDPOINT_URL": "http://127.0.0.1:9",
    "S3_ACCESS_KEY_ID": "none",
    "S3_SECRET_ACCESS_KEY": "none",
}
"""What a worker must have been told to start; the kinds that are run here ask no vendor."""


def worker(bench: Bench, engine: Contestant) -> Sequence[Value]:
    """Return RSS and PSS in MB after the first job of each kind that needs no vendor, and the seconds to the first."""
    kinds = sorted(job.kind for job in load() if not job.payload.terms.vendors)
    with engine.running(workers=0):
        for kind in kinds:
            _enqueue(bench, kind)
        program = Program(
            "nexara-worker",
            [sys.executable, "-m", "nexara", "worker"],
            env=bench.servers.environment(
                DATABASE_URL=bench.servers.url("nexara_worker"),
                REDIS_URL=engine.redis,
                WORKER_THREADS=str(engine.threads),
                # What one of them enqueues, and asks a vendor, waits.
                WORKER_QUEUES=",".join({job.payload.terms.queue for job in load() if not job.payload.terms.vendors}),
                **NO_VENDOR,
            ),
            log=bench.servers.folder / "nexara-worker.log",
        )
        since = time.monotonic()
        program.start()
        try:
            _wait(bench, program, kinds, 1, since)
            ready = time.monotonic() - since
            _wait(bench, program, kinds, len(kinds), since)
            rss, pss = memory_of([program.pid])
        finally:
            program.kill()
    return [rss, pss, ready]


def _enqueue(bench: Bench, kind: str) -> None:
    fields = next(job.payload.fields() for job in load() if job.kind == kind)
    of_a_business = any(spec["type"] == "uuid" for spec in fields.values()) and "operation_id" not in fields
    business = bench.servers.business if of_a_business else str(HOUSE)
    given: dict[str, str | bool] = {"business_id": bench.servers.business, "as_of": datetime.now(UTC).isoformat()}
    for of_none in ("operation_id", "erasure_id"):
        given[of_none] = str(uuid4())  # its job finds that there is nothing to do
    given["confirm"] = False
    if "conversation_id" in fields:
        given["conversation_id"] = str(uuid4())
        with bench.admin.transaction():
            # The trigger on the fact would enqueue a summary, which needs a vendor.
            bench.admin.execute("SET LOCAL session_replication_role = replica")
            bench.admin.execute(CONVERSATION, {"business": bench.servers.business, "id": given["conversation_id"]})
    bench.admin.execute(ENQUEUE, [kind, json.dumps({name: given[name] for name in fields}), business])


def _wait(bench: Bench, program: Program, kinds: Sequence[str], wanted: int, since: float) -> None:
    while True:
        states = [row[0] for row in bench.admin.execute(STATES, [list(kinds)]).fetchall()]
        if sum(state in ("succeeded", "cancelled") for state in states) >= wanted:
            return
        if any(state in ("dead", "parked") for state in states):
            raise Failed(f"its jobs became {', '.join(sorted(states))}")
        if not program.alive() or time.monotonic() - since > START:
            raise Failed(f"`nexara worker` did not run them: {last_lines(program.log, 1)}")
        time.sleep(LOOK_EVERY)
