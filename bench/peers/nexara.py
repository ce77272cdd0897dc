"""Nexara: the real dispatcher and workers; the web tier's role enqueues, by the functions that everybody calls."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg
import redis
from sqlalchemy.orm import Session

from bench import engine
from bench.kinds import DoNothing
from bench.peers.clients import Put, Threads
from bench.peers.peer import main
from bench.peers.place import Place
from ledger.enqueue_many import enqueue_many
from workers.wiring import engine as database_of

BULK = 5000
CALL = "SELECT ledger.enqueue_job_v1(%s, jsonb_build_object('subject_id', %s::text), %s)"
BULK_CALL = """
SELECT count(*) FROM ledger.enqueue_jobs_v1(%s, ARRAY(
  SELECT jsonb_build_object('subject_id', gen_random_uuid()) FROM generate_series(1, %s)), %s)
"""
OPEN = """
SELECT EXISTS (SELECT FROM ledger.jobs WHERE state = 'available')
  OR EXISTS (SELECT FROM ledger.jobs WHERE state IN ('dispatched', 'running'))
"""
FINISHED = """
INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, max_attempts, state, fence, attempt,
  run_at, give_up_at, enqueued_at, dispatched_at, claimed_at, started_at, finished_at)
SELECT 'bench.nothing', 'bench', 2, %s, currval(pg_get_serial_sequence('ledger.jobs', 'id')),
  jsonb_build_object('subject_id', gen_random_uuid()), 11, 'succeeded', 4, 1,
  t, t + interval '1 day', t, t, t, t, t
FROM generate_series(1, %s) n, LATERAL (SELECT now() - n * interval '1 s' AS t) at
"""
"""Rows as a success leaves them. Their root is themselves or a neighbour: no statement of the drain reads it."""


class Nexara:
    """The ledger."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.clients = Threads(self._client)
        # One entry a way: what enqueues so many jobs in bulk, as the web tier's role.
        self.ways: dict[str, Callable[[int], None]] = {"sql": self._in_sql, "python": self._in_python}

    def install(self) -> None:
        """Nothing: `nexara migrate` has made its tables."""

    def forget(self) -> None:
        """Empty the ledger and the bell; the dispatcher is taken to be awake, as it is while jobs come all the time."""
        self._admin().execute("TRUNCATE ledger.jobs, ledger.attempts, ledger.workers CASCADE")
        self._admin().execute("UPDATE ledger.bell SET asleep = false")
        redis.Redis.from_url(self._place.redis).flushdb()

    def tidy(self) -> None:
        """Vacuum the ledger."""
        self._admin().execute("VACUUM (ANALYZE) ledger.jobs")
        self._admin().execute("CHECKPOINT")

    def load(self, kind: str, count: int) -> Callable[[], None]:
        """Enqueue in a transaction that is committed when they are let go."""
        connection = psycopg.connect(self._place.web_database)
        for size in _calls(count):
            connection.execute(BULK_CALL, (f"bench.{kind}", size, self._place.business))

        def go() -> None:
            connection.commit()
            connection.close()

        return go

    def done(self) -> bool:
        """Return whether no job is open."""
        row = self._admin().execute(OPEN).fetchone()
        return not (row and row[0])

    def work(self, threads: int, profile: str) -> None:
        """Work until told to stop; both profiles are the same, since a process reserves what it can finish at once."""
        engine.work(self._place, threads)

    def dispatch(self) -> None:
        """Be the dispatcher."""
        engine.dispatch(self._place)

    def another_business(self) -> str:
        """Add a business."""
        business = str(uuid4())
        self._admin().execute(
            "INSERT INTO nexara.businesses (id, name, industry, country, zone) VALUES (%s, 'B', 'b', 'GB', 'UTC')",
            [business],
        )
        return business

    def finished(self, count: int) -> None:
        """Add so many jobs that have succeeded."""
        self._admin().execute("SELECT nextval(pg_get_serial_sequence('ledger.jobs', 'id'))")
        self._admin().execute(FINISHED, [self._place.business, count])
        self._admin().execute("VACUUM (ANALYZE) ledger.jobs")

    @contextmanager
    def _client(self) -> Iterator[Put]:
        with psycopg.connect(self._place.web_database, autocommit=True) as web:
            yield lambda kind, subject, business: web.execute(CALL, (f"bench.{kind}", subject, business))

    def _in_sql(self, count: int) -> None:
        with psycopg.connect(self._place.web_database, autocommit=True) as web:
            for size in _calls(count):
                web.execute(BULK_CALL, (DoNothing.kind, size, self._place.business))

    def _in_python(self, count: int) -> None:
        business = self._place.business
        database = database_of(self._place.web_database.replace("postgresql:", "postgresql+psycopg:"), 1)
        with Session(database) as db, db.begin():
            enqueue_many(db, (DoNothing(subject_id=uuid4()) for _ in range(count)), business_id=UUID(business))
        database.dispose()

    def _admin(self) -> "psycopg.Connection":
        if not hasattr(self, "_connection"):
            self._connection = psycopg.connect(self._place.database, autocommit=True)
        return self._connection


def _calls(count: int) -> list[int]:
    return [min(BULK, count - done) for done in range(0, count, BULK)]


if __name__ == "__main__":
    main(Nexara)
