"""How long one business's job waits behind another's backfill: from its commit to its handler's first line."""

import time

import psycopg

from bench.contestants import Nexara, running
from bench.entries import Entries
from bench.latency import enqueued, wait_of
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
            waits.append(wait_of(entries, lambda subject: enqueued(web, subject, other)))
            time.sleep(GAP)
        assert not contestant.done(), "the backfill was over before the last of them"
    contestant.forget()
    return waits
