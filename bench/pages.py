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
from sandbox.operator import HERE, cookies
from sandbox.postgres import Postgres

MOST = 0.150
"""Seconds that the 95th of a hundred answers may take."""
STATEMENTS = Path(__file__).with_suffix(".sql")


def fill(admin: Engine, rows: int) -> None:
    """Fill a fresh ledger; the engine is a superuser's."""
    with admin.begin() as db:
        publish(db, load())
        statements = STATEMENTS.read_text(encoding="utf-8").replace(":rows", str(rows))
        db.exec_driver_sql(statements.replace("%", "%%"))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        while db.execute(text("SELECT ledger.count_pace_v1()")).scalar():
            pass
        db.execute(text("VACUUM ANALYZE"))


LISTS = (
    "",
    "after={middle}",
    "state=succeeded",
    "state=dead",
    "state=available",
    "state=retryable",
    "state=parked",
    "state=running",
    "kind=leads.extract",
    "queue=mail&state=dead",
    "business=00000000-0000-0000-0000-000000000007",
    "id=5d0a3a9d-3e0b-4a43-9f0f-0e6b1f3c2a11",
    "error=code_7",
    "fingerprint={fingerprint}",
    "since={since}&kind=usage.meter",
    "chain=500000",
    "id=700000",
)
PAGES = (
    "/",
    "/?span=24h",
    *(f"/jobs?{asked}" for asked in LISTS),
    "/jobs/{dead}",
    "/jobs/{running}",
    "/jobs/500000",
    "/failures",
    "/failures/{fingerprint}",
    "/operations/new?action=retry&failing={fingerprint}",
    "/operations/new?action=retry&state=dead",
    "/operations",
    "/audit",
    "/privacy",
    "/billing",
    "/enqueue",
    "/queues",
    "/kinds",
    "/kinds/leads.extract",
    "/schedules",
    "/schedules/recovery",
)
KNOWN = """
SELECT max(id) / 2 AS middle, max(id) FILTER (WHERE state = 'dead') AS dead,
       max(id) FILTER (WHERE state = 'running') AS running,
       to_char(now() - interval '8 hours', 'YYYY-MM-DD"T"HH24:MI') AS since,
       (SELECT fingerprint FROM ledger.attempts LIMIT 1) AS fingerprint
FROM ledger.jobs
"""


def addresses(admin: Engine) -> list[str]:
    """Return what is opened: every page, and the lists by each thing that they can be asked for."""
    with admin.connect() as db:
        known = db.execute(text(KNOWN)).mappings().one()
    return [page.format(**known) for page in PAGES]


def measure(app: TestClient, path: str, times: int) -> list[float]:
    """Open a page so many times; return the seconds of each, sorted."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        answer = app.get(path)
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
    app = create_app(engine, environment="bench", secret=secrets.token_bytes(32))
    print(f"| page, of {rows:,} jobs | p50 | p95 | KB |\n| --- | --- | --- | --- |")
    slow = []
    with TestClient(app, base_url=HERE, cookies=cookies(app)) as client:
        for path in addresses(admin):
            measure(client, path, 3)
            took = measure(client, path, times)
            p95 = took[max(0, round(0.95 * times) - 1)]
            size = len(client.get(path).content) // 1024
            print(f"| `{path}` | {took[times // 2] * 1000:.0f} ms | {p95 * 1000:.0f} ms | {size} |", flush=True)
            slow += [path] if p95 > MOST else []
    admin.dispose()
    engine.dispose()
    print(f"over {MOST * 1000:.0f} ms: {', '.join(slow) or 'none'}")


if __name__ == "__main__":
    main()
