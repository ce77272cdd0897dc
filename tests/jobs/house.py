"""The whole engine in one process for a test: real ledger, roles, bucket and vendors; the loop is the test's own."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import Engine, create_engine, func, select, text
from sqlalchemy.orm import Session

from jobs.registry import load
from ledger.claim import Token, claim
from ledger.claimed import Claimed, Ended
from ledger.dispatch import Dispatched, dispatch, promote, waiting
from ledger.enqueue import enqueue
from ledger.operate import retry
from ledger.payload import Payload
from ledger.run import Runner
from providers.vendor_values import VendorValues
from providers.vendors import Vendors
from workers.wiring import engine as live_engine

MOST = 300
"""Runs of one drain; more would be a chain that never ends."""

HTTP = httpx.Client(trust_env=False, timeout=30)
"""The test's own line to servers on loopback; each new client would read all certificates."""


@dataclass(frozen=True)
class Wire:
    """A vendor's server, and the test's own door to it."""

    url: str

    def goes_wrong(self, *faults: Mapping[str, Any]) -> None:
        """Spoil the next answers, one fault each."""
        HTTP.post(f"{self.url}/_sandbox/faults", json=list(faults)).raise_for_status()

    def asked(self) -> list[dict[str, Any]]:
        """Return what it was asked since the last reset, oldest first."""
        told = HTTP.get(f"{self.url}/_sandbox/requests").json()
        return list(told["requests"])

    def reset(self) -> None:
        HTTP.post(f"{self.url}/_sandbox/reset").raise_for_status()


@dataclass(frozen=True)
class Wires:
    """The vendors' servers of this process."""

    deepgram: Wire
    anthropic: Wire
    resend: Wire

    def reset(self) -> None:
        for wire in (self.deepgram, self.anthropic, self.resend):
            wire.reset()

    def asked(self) -> Counter[str]:
        """Return how often each was asked."""
        each = {"deepgram": self.deepgram, "anthropic": self.anthropic, "resend": self.resend}
        return +Counter({name: len(wire.asked()) for name, wire in each.items()})

    def inbox(self) -> list[dict[str, Any]]:
        """Return all mails, oldest first."""
        return list(reversed(HTTP.get(f"{self.resend.url}/inbox.json").json()))


@dataclass
class House:
    """The engine of one test, and what can be seen of it."""

    admin: Engine
    worker: Engine
    web: Engine
    on_call: Engine
    values: VendorValues
    usual: Vendors
    wires: Wires
    vendors: Vendors = field(init=False)
    runner: Runner = field(init=False)
    told: list[Ended] = field(default_factory=list)
    tell: Callable[[Ended], None] = lambda _: None
    ring: Callable[[], None] = lambda: None
    carried: Callable[[str, Sequence[Dispatched]], list[Token]] = lambda _, jobs: [(job.id, job.fence) for job in jobs]

    def __post_init__(self) -> None:
        self.registry = load()
        self.me = uuid4()
        self.vendors = self.usual
        self.asking()

    def asking(self, **values: Any) -> None:
        """Go on with these values for the vendors, as a process started anew; without any, with the right ones."""
        self.close_vendors()
        self.vendors = Vendors(replace(self.values, **values)) if values else self.usual
        self.runner = Runner(self.registry, self.worker, self.vendors, ring=self.ring, tell=self._hear)

    def _hear(self, ended: Ended) -> None:
        self.told.append(ended)
        self.tell(ended)

    def close_vendors(self) -> None:
        if self.vendors is not self.usual:
            self.vendors.close()

    def dispose(self) -> None:
        self.close_vendors()
        for engine in (self.admin, self.worker, self.web, self.on_call):
            engine.dispose()

    # The loop.

    def dispatched(self) -> Iterator[Token]:
        """Promote what is due and dispatch it."""
        with self.worker.begin() as db:
            promote(db)
        with self.worker.begin() as db:
            queues = waiting(db)
        for queue in queues:
            with self.worker.begin() as db:
                jobs = dispatch(db, queue, [MOST] * 4)
            yield from self.carried(queue, jobs)

    def claimed(self, tokens: Sequence[Token] | None = None) -> list[Claimed]:
        """Claim what is due, or these."""
        tokens = list(self.dispatched()) if tokens is None else tokens
        with self.worker.begin() as db:
            return claim(db, self.me, self.registry.kinds, [], tokens)

    def step(self) -> list[Ended]:
        """Run each job that is due now, and no follow-up."""
        return [self.runner.run(job) for job in self.claimed()]

    def beside(self) -> list[Ended]:
        """Run each job that is due now as another process would, with connections of its own to the vendors."""
        runner = Runner(self.registry, self.worker, self.usual)
        return [runner.run(job) for job in self.claimed()]

    def drain(self) -> list[Ended]:
        """Run until no job is due; what waits for later waits."""
        ended: list[Ended] = []
        while ran := self.step():
            ended += ran
            assert len(ended) < MOST, Counter((each.kind, each.state) for each in ended)
        return ended

    def later(self) -> None:
        """Let the time pass for which failed jobs wait."""
        self.sql("UPDATE ledger.jobs SET run_at = now() WHERE state IN ('retryable', 'scheduled')")

    def drain_all(self) -> list[Ended]:
        """Run until no job waits, however long each was to wait."""
        ended = self.drain()
        while self.sql("SELECT count(*) FROM ledger.jobs WHERE state IN ('retryable', 'scheduled')"):
            self.later()
            ended += self.drain()
            assert len(ended) < MOST, Counter((each.kind, each.state) for each in ended)
        return ended

    def enqueue(self, payload: Payload, business: UUID) -> int:
        """Enqueue by hand, as the web tier."""
        with self.acting_for(business) as db:
            return enqueue(db, payload)

    def house_enqueue(self, payload: Payload) -> int:
        """Enqueue for the house, as a tick does."""
        with Session(self.worker) as db, db.begin():
            return enqueue(db, payload, business_id=UUID(int=0))

    def retry(self, job_id: int) -> None:
        """Press on-call's button, once the pause that a vendor may have asked for is over."""
        self.sql("UPDATE ledger.limits SET blocked_until = NULL")
        with self.on_call.begin() as db:
            retry(db, job_id)

    @contextmanager
    def acting_for(self, business: UUID) -> Iterator[Session]:
        """Give one transaction of the web tier for a business."""
        with Session(self.web) as db, db.begin():
            db.execute(select(func.nexara.act_for(business)))
            yield db

    # What can be seen.

    def sql(self, statement: str, **values: Any) -> Any:
        """Run a statement as superuser and return its only value, if it has one."""
        with self.admin.begin() as db:
            result = db.execute(text(statement), values)
            return result.scalar() if result.returns_rows else None

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Return the rows of a query, as superuser."""
        with self.admin.begin() as db:
            return list(db.execute(text(statement), values))

    def jobs(self, kind: str = "%") -> list[Any]:
        """Return the jobs of a kind, oldest first."""
        return self.rows("SELECT * FROM ledger.jobs WHERE kind LIKE :kind ORDER BY id", kind=kind)

    def job(self, kind: str) -> Any:
        """Return the only job of a kind."""
        (job,) = self.jobs(kind)
        return job

    def attempts(self, kind: str = "%") -> list[Any]:
        """Return what failed, oldest first."""
        return self.rows("SELECT * FROM ledger.attempts WHERE kind LIKE :kind ORDER BY id", kind=kind)

    def states(self) -> Counter[tuple[str, str]]:
        """Count the jobs by kind and state."""
        return Counter((job.kind, job.state) for job in self.jobs())

    def counts(self) -> dict[str, int]:
        """Count the rows that a chain leaves."""
        tables = ("transcripts", "summaries", "leads", "meter", "emails_sent")
        return {table: self.sql(f"SELECT count(*) FROM nexara.{table}") for table in tables}


def house(database: Any, values: VendorValues, usual: Vendors, wires: Wires) -> House:
    """Return the engine over a database, as its roles."""
    return House(
        admin=create_engine(database.admin_url),
        worker=live_engine(database.worker_url, 4),
        web=live_engine(database.web_url, 2),
        on_call=create_engine(database.dashboard_url),
        values=values,
        usual=usual,
        wires=wires,
    )
