"""How long it takes from the enqueuer's commit to the handler's first line, one job at a time on an idle engine."""

import time
from statistics import quantiles
from uuid import uuid4

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
            subject = uuid4()
            web.execute(
                "SELECT ledger.enqueue_job_v1(%s, jsonb_build_object('subject_id', %s::text), %s)",
                (SayWhen.kind, str(subject), servers.business),
            )
            web.commit()
            since = time.monotonic_ns()
            heard, entered = entries.hear(30)
            assert heard == subject
            waits.append((entered - since) / 1e6)
            time.sleep(GAP)
    return waits[WARM:]


def of_dramatiq(servers: Servers, contestant: RawDramatiq, count: int) -> list[float]:
    """Return the milliseconds of each message, from the return of send on."""
    waits = []
    raw = Raw(servers.redis.url())
    with Entries(servers.entries) as entries, running(contestant):
        for _ in range(WARM + count):
            subject = uuid4()
            raw.actors[SayWhen.kind].send(str(subject), str(servers.business))
            since = time.monotonic_ns()
            heard, entered = entries.hear(30)
            assert heard == subject
            waits.append((entered - since) / 1e6)
            time.sleep(GAP)
    return waits[WARM:]


def p50_p95_p99(waits: list[float]) -> tuple[float, float, float]:
    """Return the three percentiles."""
    cuts = quantiles(waits, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]
