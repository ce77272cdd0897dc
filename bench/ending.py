"""`python -m bench.ending`: how fast data ends, beside the bare statement, and what the web tier feels of it.

    sweep    rows past their age in one business, by retention.expire, beside one DELETE of as many rows
    person   one person's rows among many messages of the business, by privacy.erase: seconds in the database
    waiting  the web tier's enqueues meanwhile, p99, beside the same without; the longest transaction bounds every lock

One process runs the jobs, as a worker does, against a PostgreSQL with fsync on; vendors are asked nothing.
"""

import argparse
import json
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import Engine, create_engine, event

from bench.servers import Servers, plain
from jobs.registry import load
from ledger.claim import claim
from ledger.contract import publish
from ledger.dispatch import dispatch, promote, waiting
from ledger.run import Runner
from workers.wiring import engine as live_engine

STATEMENTS = Path(__file__).with_suffix(".sql")
OLD, TARGET = "now() - interval '500 days'", 10_000
GAP = 0.01  # seconds between two enqueues of the web tier
BARE = f"DELETE FROM nexara.product_events WHERE business_id = %s AND at < {OLD}"
COUNT = "SELECT count(*) FROM nexara.product_events WHERE business_id = %s AND at < now() - interval '400 days'"


@dataclass
class Clock:
    """How long the transactions of an engine took, in seconds."""

    took: list[float] = field(default_factory=list)
    _began: dict[int, float] = field(default_factory=dict)

    def watch(self, engine: Engine) -> None:
        """Time every transaction of an engine from its first statement to its end."""
        event.listen(
            engine, "begin", lambda c: self._began.__setitem__(id(c.connection.dbapi_connection), time.monotonic())
        )
        for how in ("commit", "rollback"):
            event.listen(engine, how, self._ended)

    def _ended(self, connection: Any) -> None:
        began = self._began.pop(id(connection.connection.dbapi_connection), None)
        if began is not None:
            self.took.append(time.monotonic() - began)


class Place:
    """A database with businesses, and a worker's loop in this process."""

    def __init__(self, servers: Servers) -> None:
        self.admin = psycopg.connect(servers.admin_url, autocommit=True)
        self.web = plain(servers.url("nexara_web"))
        self.worker = live_engine(servers.url("nexara_worker"), 4)
        self.clock = Clock()
        self.clock.watch(self.worker)
        self.registry = load()
        maker = create_engine(servers.postgres.url("bench"))
        with maker.begin() as db:
            publish(db, self.registry)
        maker.dispose()
        self.runner = Runner(self.registry, self.worker, None)
        self.me = uuid4()

    def fill(self, **sizes: int) -> UUID:
        """Make a business with so many rows of each kind; returns its id."""
        business = uuid4()
        told = STATEMENTS.read_text(encoding="utf-8")
        for name, value in {**sizes, "business": str(business), "old": OLD}.items():
            told = told.replace(f"${{{name}}}", str(value))
        with self.admin.transaction():
            self.admin.execute("SET LOCAL session_replication_role = replica")
            self.admin.execute(told)
        self.admin.execute("VACUUM ANALYZE")
        self.admin.execute("CHECKPOINT")
        return business

    def enqueue(self, kind: str, payload: dict[str, Any], business: UUID) -> None:
        """Enqueue a job."""
        self.admin.execute(
            "SELECT ledger.enqueue_job_v1(%s, %s, %s)", [kind, json.dumps(payload, default=str), business]
        )

    def drain(self, *kinds: str) -> float:
        """Run what is due of these kinds until nothing is; returns the seconds."""
        since = time.monotonic()
        while True:
            with self.worker.begin() as db:
                promote(db)
            with self.worker.begin() as db:
                queues = waiting(db)
            tokens = []
            for queue in queues:
                with self.worker.begin() as db:
                    tokens += [(job.id, job.fence) for job in dispatch(db, queue, [50] * 4)]
            with self.worker.begin() as db:
                jobs = claim(db, self.me, list(kinds), [], tokens)
            if not jobs:
                return time.monotonic() - since
            for job in jobs:
                ended = self.runner.run(job)
                if ended.failure is not None:
                    raise RuntimeError(f"{ended.kind} failed: {ended.failure}")

    @contextmanager
    def enqueuing(self, business: UUID) -> Iterator[list[float]]:
        """Have the web tier enqueue for as long as the block lasts; yields the milliseconds of each."""
        took: list[float] = []
        over = threading.Event()

        def work() -> None:
            with psycopg.connect(self.web, autocommit=True) as db:
                while not over.wait(GAP):
                    since = time.monotonic()
                    with db.transaction():
                        db.execute("SELECT nexara.act_for(%s)", [business])
                        payload = json.dumps({"conversation_id": str(uuid4())})
                        db.execute("SELECT ledger.enqueue_job_v1('conversations.summarize', %s)", [payload])
                    took.append(1000 * (time.monotonic() - since))

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield took
        finally:
            over.set()
            thread.join()


def sweep(place: Place, rows: int) -> None:
    """Print how fast rows past their age go."""
    business = place.fill(events=rows, messages=0, target=0)
    since = time.monotonic()
    with place.admin.transaction(force_rollback=True):
        gone = place.admin.execute(BARE.replace("500", "400"), [business]).rowcount
        bare = time.monotonic() - since
    place.admin.execute("VACUUM ANALYZE nexara.product_events")
    alone = _quiet(place, business)
    place.clock.took.clear()
    place.enqueue("retention.expire", {"business_id": business, "as_of": _now(place)}, business)
    with place.enqueuing(business) as took:
        seconds = place.drain("retention.expire")
    left = place.admin.execute(COUNT, [business]).fetchone()
    assert left == (0,), left
    print(
        f"| sweep of {rows:,} rows | {gone / seconds:,.0f} a second | bare DELETE {gone / bare:,.0f} | "
        f"{bare / seconds:.2f}x | {_waiting(place, alone, took)} |",
        flush=True,
    )


def person(place: Place, messages: int, target: int) -> None:
    """Print how long one person's erasure takes in the database."""
    business = place.fill(events=0, messages=messages, target=target)
    (root,) = place.admin.execute(
        "SELECT id FROM nexara.people WHERE business_id = %s ORDER BY created_at LIMIT 1", [business]
    ).fetchone()  # type: ignore[misc]
    erasure = uuid4()
    with place.admin.transaction():
        place.admin.execute(
            "INSERT INTO nexara.erasures (business_id, id, scope, root_id, origin) "
            "VALUES (%s, %s, 'person', %s, 'request')",
            [business, erasure, root],
        )
        place.admin.execute(
            "INSERT INTO nexara.erasure_scope (business_id, erasure_id, source, row_id, evidence, decision) "
            "VALUES (%s, %s, 'people', %s, 'asked', 'include')",
            [business, erasure, root],
        )
        place.admin.execute(
            "UPDATE nexara.erasures SET state = 'erasing', confirmed_at = now() WHERE id = %s", [erasure]
        )
    alone = _quiet(place, business)
    place.clock.took.clear()
    place.enqueue("privacy.erase", {"erasure_id": erasure}, business)
    with place.enqueuing(business) as took:
        place.drain("privacy.erase")
    row = place.admin.execute("SELECT state, counts FROM nexara.erasures WHERE id = %s", [erasure]).fetchone()
    assert row is not None
    assert row[0] == "pending", row
    print(
        f"| one person: {sum(row[1].values()):,} rows among {messages:,} messages | "
        f"{sum(place.clock.took):.2f} s in the database | | | "
        f"{_waiting(place, alone, took)} |",
        flush=True,
    )


def _quiet(place: Place, business: UUID) -> list[float]:
    with place.enqueuing(business) as alone:
        time.sleep(5)
    return alone


def _waiting(place: Place, alone: list[float], took: list[float]) -> str:
    slowest = 1000 * max(place.clock.took)
    return f"{_p99(alone):.1f} → {_p99(took):.1f} ms | {slowest:.0f} ms"


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98] if len(values) > 2 else max(values, default=0.0)


def _now(place: Place) -> str:
    row = place.admin.execute("SELECT now()").fetchone()
    assert row is not None
    return str(row[0].isoformat())


def main() -> None:
    """Fill, end, and print a table."""
    asked = argparse.ArgumentParser(
        prog="python -m bench.ending", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    asked.add_argument("--rows", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    asked.add_argument("--messages", type=int, default=5_000_000)
    asked.add_argument("--target", type=int, default=TARGET)
    given = asked.parse_args()
    with Servers() as servers:
        place = Place(servers)
        print("| what | how fast | beside | ratio | enqueue p99, alone → meanwhile | longest transaction |")
        print("| --- | --- | --- | --- | --- | --- |")
        for rows in given.rows:
            sweep(place, rows)
        if given.messages:
            person(place, given.messages, given.target)


if __name__ == "__main__":
    main()
