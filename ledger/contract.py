"""The kinds as rows: what the SQL functions check payloads against."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, text

from ledger.job import Job

UPSERT = text("""
INSERT INTO ledger.job_kinds AS k
  (kind, queue, priority, fields, unique_by, until_done, timeout, max_attempts, give_up_after, vendors, about)
SELECT kind, queue, priority, fields, unique_by, until_done, make_interval(secs => timeout_s), max_attempts,
       make_interval(secs => give_up_after_s), vendors, about
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(kind text, queue text, priority int, fields jsonb, unique_by text[],
  until_done boolean, timeout_s double precision, max_attempts int, give_up_after_s double precision, vendors text[],
  about text)
ON CONFLICT (kind) DO UPDATE SET
  queue = EXCLUDED.queue, priority = EXCLUDED.priority, fields = EXCLUDED.fields, unique_by = EXCLUDED.unique_by,
  until_done = EXCLUDED.until_done, timeout = EXCLUDED.timeout, max_attempts = EXCLUDED.max_attempts,
  give_up_after = EXCLUDED.give_up_after, vendors = EXCLUDED.vendors,
  about = EXCLUDED.about
WHERE to_jsonb(k) IS DISTINCT FROM to_jsonb(EXCLUDED)
""")


def row(job: Job) -> dict[str, Any]:
    """Return one kind as its row of job_kinds."""
    terms = job.payload.terms
    return {
        "kind": job.kind,
        "queue": terms.queue,
        "priority": terms.priority,
        "fields": job.payload.fields(),
        "unique_by": list(terms.unique_by) or None,
        "until_done": terms.until_done,
        "timeout_s": terms.timeout.total_seconds(),
        "max_attempts": terms.max_attempts,
        "give_up_after_s": terms.give_up_after.total_seconds(),
        "vendors": sorted(terms.vendors),
        "about": (job.payload.__doc__ or "").strip().splitlines()[0],
    }


def publish(connection: Connection, jobs: Iterable[Job]) -> None:
    """Write the kinds to job_kinds; a kind this release no longer knows stays, for the jobs it still has."""
    connection.execute(UPSERT, {"rows": json.dumps([row(job) for job in jobs])})


def missing(connection: Connection, jobs: Iterable[Job]) -> list[str]:
    """Return the kinds that the database does not know: it was migrated by an older release."""
    known = set(connection.execute(text("SELECT kind FROM ledger.job_kinds")).scalars())
    return sorted({job.kind for job in jobs} - known)
