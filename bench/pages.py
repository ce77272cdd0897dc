"""`python -m bench.pages`: how fast each page answers with a million jobs in the ledger, 20,000 of which failed.

The app is asked in its own process, so what is measured is the server: the queries, the rendering, the middleware.
"""

import argparse
import secrets
import tempfile
import time
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from starlette.testclient import TestClient

from dashboard.app import create_app
from jobs.registry import load
from ledger.contract import publish
from migrations.apply import migrate
from sandbox.postgres import Postgres

USER, PASSWORD = "bench", secrets.token_hex(8)
MOST = 0.150
"""Seconds that the 95th of a hundred answers may take."""
ENDED = """
INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, attempt, max_attempts, run_at, give_up_at,
                         enqueued_at, dispatched_at, claimed_at, started_at, finished_at, reason)
SELECT k.kind, k.queue, k.priority, CAST(lpad((n % 400)::text, 32, '0') AS uuid), n,
       jsonb_build_object('conversation_id', CAST(md5(n::text) AS uuid)), s.state, 1, k.max_attempts, t.at, t.at + interval '1 day',
       t.at, t.at, t.at, t.at, CASE WHEN s.state NOT IN ('parked', 'retryable', 'scheduled') THEN t.at + (n % 97) * interval '90 ms' END,
       CASE s.state WHEN 'dead' THEN 'attempts_exhausted' WHEN 'parked' THEN 'no_key' END
FROM generate_series(1, :rows) n
JOIN LATERAL (SELECT * FROM ledger.job_kinds ORDER BY kind OFFSET n % 9 LIMIT 1) k ON true
CROSS JOIN LATERAL (SELECT now() - (:rows - n) * interval '86.4 ms' - interval '2 min' AS at) t
CROSS JOIN LATERAL (SELECT CASE
  WHEN n % 1000 < 20 THEN (ARRAY['dead', 'dead', 'dead', 'dead', 'dead', 'dead', 'dead', 'dead', 'dead', 'dead', 'dead', 'dead',
                                 'dead', 'retryable', 'retryable', 'retryable', 'retryable', 'parked', 'parked', 'parked'])[n % 1000 + 1]
  WHEN n % 1000 < 22 THEN 'cancelled' WHEN n % 1000 < 24 THEN 'discarded' WHEN n % 1000 < 25 THEN 'scheduled'
  ELSE 'succeeded' END AS state) s
"""
FAILED = """
INSERT INTO ledger.attempts (job_id, business_id, kind, attempt, started_at, ended_at, outcome, error_class, error_code, message, place,
                             traceback, fingerprint, log_tail)
SELECT id, business_id, kind, a, enqueued_at, enqueued_at + a * interval '1 s', 'bug', 'KeyError', 'code_' || id % 60, 'Withheld.',
       'jobs/leads/extract.py:44 save', repeat('  File "jobs/leads/extract.py", line 44, in save' || chr(10), 12), left(md5((id % 60)::text), 16),
       repeat('03:12:41.108 DEBUG    job.loads' || chr(10), 12)
FROM ledger.jobs CROSS JOIN generate_series(1, 2) a WHERE state IN ('dead', 'retryable', 'parked') ORDER BY id
"""
WAITING = """
INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, max_attempts, run_at, give_up_at, claimed_at, started_at,
                         worker_id, progress)
SELECT k.kind, k.queue, 2, CAST(lpad((n % 400)::text, 32, '0') AS uuid), 0, '{}', s.state, 11, now() - n * interval '1 ms',
       now() + interval '1 day', CASE WHEN s.state = 'running' THEN now() END, CASE WHEN s.state = 'running' THEN now() END,
       CASE WHEN s.state = 'running' THEN CAST(md5('w' || n % 8) AS uuid) END, CASE WHEN s.state = 'running' THEN 40 END
FROM (VALUES ('available', 30000), ('dispatched', 600), ('running', 64)) s (state, many), generate_series(1, s.many) n,
  LATERAL (SELECT * FROM ledger.job_kinds ORDER BY kind OFFSET n % 9 LIMIT 1) k
"""
AROUND = """
INSERT INTO ledger.workers (id, threads, kinds, heartbeat_at)
SELECT CAST(md5('w' || n) AS uuid), 8, '{}', now() + interval '1 hour' FROM generate_series(0, 7) n;
INSERT INTO ledger.ticks (schedule, tick, due_at, outcome)
SELECT s, to_char(at, 'YYYY-MM-DD"T"HH24:MI'), at, 'fired' FROM unnest('{retention,reconciliation,recovery}'::text[]) s,
  generate_series(now() - interval '90 days', now(), interval '10 min') at;
UPDATE ledger.jobs SET root_id = 500000, parent_id = 500000 WHERE id BETWEEN 500001 AND 500150;
INSERT INTO ledger.pace_until (id, until) VALUES (1, now() - interval '25 hours')
"""


def fill(admin: Engine, rows: int) -> None:
    """Fill a fresh ledger; the engine is a superuser's."""
    with admin.begin() as db:
        publish(db, load())
        db.execute(text(ENDED), {"rows": rows})
        db.execute(text(FAILED))
        for statement in (WAITING, AROUND):
            db.exec_driver_sql(statement.replace("%", "%%"))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        while db.execute(text("SELECT ledger.count_pace_v1()")).scalar():
            pass
        db.execute(text("VACUUM ANALYZE"))


def addresses(admin: Engine) -> list[str]:
    """Return what is opened: every page, and the lists by each thing that they can be asked for."""
    with admin.connect() as db:
        dead, running, late = db.execute(
            text(
                "SELECT (SELECT max(id) FROM ledger.jobs WHERE state = 'dead'), (SELECT max(id) FROM ledger.jobs WHERE state = 'running'),"
                " (SELECT enqueued_at FROM ledger.jobs WHERE id = 400000)"
            )
        ).one()
        known = db.execute(text("SELECT fingerprint FROM ledger.attempts LIMIT 1")).scalar_one()
        cursor = db.execute(text("SELECT max(id) / 2 FROM ledger.jobs")).scalar_one()
    since = "" if late is None else f"{late:%Y-%m-%dT%H:%M}"
    return [
        "/", "/?span=24h", "/jobs", f"/jobs?after={cursor}", "/jobs?state=succeeded", "/jobs?state=dead", "/jobs?state=available",
        "/jobs?state=retryable", "/jobs?state=parked", "/jobs?state=running", "/jobs?kind=leads.extract", "/jobs?queue=mail&state=dead",
        "/jobs?business=00000000-0000-0000-0000-000000000007", "/jobs?id=5d0a3a9d-3e0b-4a43-9f0f-0e6b1f3c2a11",
        "/jobs?error=code_7", f"/jobs?fingerprint={known}", f"/jobs?since={since}&kind=usage.meter", "/jobs?chain=500000", "/jobs?id=700000",
        f"/jobs/{dead}", f"/jobs/{running}", "/jobs/500000", "/queues", "/kinds", "/kinds/leads.extract", "/schedules", "/schedules/recovery",
    ]  # fmt: skip


def measure(app: TestClient, path: str, times: int) -> list[float]:
    """Open a page so many times; return the seconds of each, sorted."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        answer = app.get(path, auth=(USER, PASSWORD))
        took.append(time.perf_counter() - began)
        assert answer.status_code == 200, (path, answer.status_code)
    return sorted(took)


def main() -> None:
    """Fill, measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nexara-pages-") as place:
        server = Postgres(Path(place) / "postgres")
        server.start()
        try:
            _run(server, given.rows, given.times)
        finally:
            server.stop("immediate")


def _run(server: Postgres, rows: int, times: int) -> None:
    password = secrets.token_hex(8)
    migrate(server.admin_url, {"nexara_dashboard": password})
    admin = create_engine(server.admin_url)
    fill(admin, rows)
    engine = create_engine(
        server.url("postgres", "nexara_dashboard", password), connect_args={"prepare_threshold": None}
    )
    app = create_app(engine, user=USER, password=PASSWORD, environment="bench", secret=secrets.token_bytes(32))
    print(f"| page, of {rows:,} jobs | p50 | p95 | KB |\n| --- | --- | --- | --- |")
    slow = []
    with TestClient(app) as client:
        for path in addresses(admin):
            measure(client, path, 3)
            took = measure(client, path, times)
            p95 = took[max(0, round(0.95 * times) - 1)]
            size = len(client.get(path, auth=(USER, PASSWORD)).content) // 1024
            print(f"| `{path}` | {took[times // 2] * 1000:.0f} ms | {p95 * 1000:.0f} ms | {size} |", flush=True)
            slow += [path] if p95 > MOST else []
    admin.dispose()
    engine.dispose()
    print(f"over {MOST * 1000:.0f} ms: {', '.join(slow) or 'none'}")


if __name__ == "__main__":
    main()
