"""How long one business's job waits behind another's backfill: from its commit to its handler's first line."""

import time
from uuid import uuid4

import psycopg

from bench.contestants import Nexara, running
from bench.entries import Entries
from bench.kinds import SayWhen
from bench.servers import Servers

GAP = 0.25  # seconds between two jobs of the other business
SETTLED = 2.0  # seconds for which the backfill runs before the first of them


def behind_a_backfill(servers: Servers, contestant: Nexara, kind: str, backfill: int, count: int) -> list[float]:
    """Return the milliseconds that each of `count` jobs of a second business waited, all in one queue and priority."""
    waits = []
    other = servers.another_business()
    url = servers.url("nexara_web").replace("+psycopg", "")
    with Entries(servers.entries) as entries, running(contestant), psycopg.connect(url) as web:
        contestant.load(kind, backfill)()
        time.sleep(SETTLED)
        for _ in range(count):
            subject = uuid4()
            web.execute(
                "SELECT ledger.enqueue_job_v1(%s, jsonb_build_object('subject_id', %s::text), %s)",
                (SayWhen.kind, str(subject), other),
            )
            web.commit()
            since = time.monotonic_ns()
            heard, entered = entries.hear(60)
            assert heard == subject
            waits.append((entered - since) / 1e6)
            time.sleep(GAP)
        assert not contestant.done(), "the backfill was over before the last of them"
    contestant.forget()
    return waits
