"""How long it takes from the enqueuer's commit to the handler's first line, one job at a time on an idle engine."""

import time
from collections.abc import Callable
from statistics import quantiles
from uuid import UUID, uuid4

import psycopg

from bench.contestants import Nexara, RawDramatiq, running
from bench.entries import Entries
from bench.kinds import SayWhen
from bench.raw import Raw
from bench.servers import Servers

GAP = 0.02  # seconds between two jobs
WARM = 20


def of_the_ledger(servers: Servers, contestant: Nexara, count: int) -> list[float]:
    """Return the milliseconds of each job, from the return of COMMIT on."""
    waits = []
    url = servers.url("nexara_web").replace("+psycopg", "")
    with Entries(servers.entries) as entries, running(contestant), psycopg.connect(url) as web:
        for _ in range(WARM + count):
            waits.append(wait_of(entries, lambda subject: enqueued(web, subject, servers.business)))
            time.sleep(GAP)
    return waits[WARM:]


def of_dramatiq(servers: Servers, contestant: RawDramatiq, count: int) -> list[float]:
    """Return the milliseconds of each message, from the return of send on."""
    waits = []
    sent = Raw(servers.redis.url()).actors[SayWhen.kind].send
    with Entries(servers.entries) as entries, running(contestant):
        for _ in range(WARM + count):
            waits.append(wait_of(entries, lambda subject: sent(str(subject), str(servers.business))))
            time.sleep(GAP)
    return waits[WARM:]


def enqueued(web: psycopg.Connection, subject: UUID, business: UUID) -> None:
    """Enqueue a SayWhen as the web tier does, in a transaction of its own."""
    web.execute(
        "SELECT ledger.enqueue_job_v1(%s, jsonb_build_object('subject_id', %s::text), %s)",
        (SayWhen.kind, str(subject), business),
    )
    web.commit()


def wait_of(entries: Entries, put: Callable[[UUID], object]) -> float:
    """Return the milliseconds from the return of `put` to the entry of the handler of what it put there."""
    subject = uuid4()
    put(subject)
    since = time.monotonic_ns()
    heard, entered = entries.hear(60)
    assert heard == subject
    return (entered - since) / 1e6


def p50_p95_p99(waits: list[float]) -> tuple[float, float, float]:
    """Return the three percentiles."""
    cuts = quantiles(waits, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]
