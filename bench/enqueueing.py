"""How fast jobs are enqueued: single calls by some clients at once, and many by one client in one transaction."""

import threading
import time
from collections.abc import Callable
from uuid import uuid4

import psycopg
from sqlalchemy.orm import Session

from bench.kinds import DoNothing
from bench.raw import QUEUE, Raw
from bench.servers import Servers
from ledger.enqueue_many import enqueue_many
from workers.wiring import engine

CLIENTS = 8
BULK = 5000
CALL = "SELECT ledger.enqueue_job_v1(%s, jsonb_build_object('subject_id', %s::text), %s)"

BULK_CALL = """
SELECT count(*) FROM ledger.enqueue_jobs_v1(%s, ARRAY(
  SELECT jsonb_build_object('subject_id', gen_random_uuid()) FROM generate_series(1, %s)), %s)
"""


def into_the_ledger(servers: Servers, count: int) -> float:
    """Return the calls of enqueue_job_v1 a second, by the web tier's role, a commit each."""

    def client(calls: int) -> None:
        url = servers.url("nexara_web").replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            for _ in range(calls):
                connection.execute(CALL, (DoNothing.kind, str(uuid4()), servers.business))

    return _together(client, count)


def into_redis(servers: Servers, count: int) -> float:
    """Return dramatiq's sends a second, by as many threads of one process."""
    raw = Raw(servers.redis.url())

    def client(calls: int) -> None:
        for _ in range(calls):
            raw.actors[DoNothing.kind].send(str(uuid4()), str(servers.business))

    return _together(client, count)


def many_into_the_ledger(servers: Servers, count: int) -> float:
    """Return the jobs a second that enqueue_jobs_v1 takes from one client, 5,000 a call and a commit each."""
    with psycopg.connect(servers.url("nexara_web").replace("+psycopg", ""), autocommit=True) as connection:
        since = time.monotonic()
        for size in _calls(count):
            connection.execute(BULK_CALL, (DoNothing.kind, size, servers.business))
        taken = time.monotonic() - since
    _forget(servers)
    return count / taken


def many_from_python(servers: Servers, count: int) -> float:
    """Return the jobs a second that enqueue_many takes from one client, payloads made on the way, one commit."""
    database = engine(servers.url("nexara_web"), 1)
    since = time.monotonic()
    with Session(database) as db, db.begin():
        enqueue_many(db, (DoNothing(subject_id=uuid4()) for _ in range(count)), business_id=servers.business)
    taken = time.monotonic() - since
    database.dispose()
    _forget(servers)
    return count / taken


def many_into_redis(servers: Servers, count: int) -> float:
    """Return dramatiq's sends a second by one client, in pipelines of as many as above (Broker.enqueue has none)."""
    raw = Raw(servers.redis.url())
    actor, client = raw.actors[DoNothing.kind], raw.broker.client
    since = time.monotonic()
    for size in _calls(count):
        with client.pipeline(transaction=False) as pipe:
            for _ in range(size):
                message = actor.message(str(uuid4()), str(servers.business))
                message = message.copy(options={"redis_message_id": str(uuid4())})
                pipe.hset(f"dramatiq:{QUEUE}.msgs", message.options["redis_message_id"], message.encode().decode())
                pipe.rpush(f"dramatiq:{QUEUE}", message.options["redis_message_id"])
            pipe.execute()
    return count / (time.monotonic() - since)


def _forget(servers: Servers) -> None:
    # Nobody shall have to run so many before the next thing is measured.
    with psycopg.connect(servers.admin_url.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute("TRUNCATE ledger.jobs")


def _calls(count: int) -> list[int]:
    return [min(BULK, count - done) for done in range(0, count, BULK)]


def _together(client: Callable[[int], None], count: int) -> float:
    threads = [threading.Thread(target=client, args=[count // CLIENTS]) for _ in range(CLIENTS)]
    since = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count // CLIENTS * CLIENTS / (time.monotonic() - since)
