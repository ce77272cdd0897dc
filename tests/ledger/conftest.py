"""A ledger of its own for each test: a fresh database, kinds that exist nowhere else, and the real roles to call it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from ledger.claim import claim
from ledger.claimed import Claimed, Ended
from ledger.contract import publish
from ledger.dispatch import dispatch
from ledger.enqueue import enqueue
from ledger.job import Registry
from ledger.payload import Payload
from ledger.run import Runner
from models.accounts import Business
from tests.ledger.kinds import Script, kinds
from workers.wiring import engine as live_engine


@dataclass
class Ledger:
    admin: Engine
    worker: Engine
    web: Engine
    registry: Registry
    script: Script
    runner: Runner
    business: UUID
    other: UUID
    me: UUID = field(default_factory=uuid4)
    told: list[Ended] = field(default_factory=list)

    def sql(self, statement: str, **values: Any) -> Any:
        """Run a statement as superuser and return its only value, if it has one."""
        with self.admin.begin() as db:
            result = db.execute(text(statement), values)
            return result.scalar() if result.returns_rows else None

    def job(self, job_id: int) -> Any:
        with self.admin.begin() as db:
            return db.execute(text("SELECT * FROM ledger.jobs WHERE id = :id"), {"id": job_id}).one()

    def attempts(self, job_id: int) -> list[Any]:
        with self.admin.begin() as db:
            rows = db.execute(text("SELECT * FROM ledger.attempts WHERE job_id = :id ORDER BY id"), {"id": job_id})
            return list(rows)

    def enqueue(self, payload: Payload, business: UUID | None = None) -> int:
        with Session(self.web) as db, db.begin():
            return enqueue(db, payload, business_id=business or self.business)

    def dispatched(self, queue: str = "walls", room: int = 100) -> list[tuple[int, int]]:
        with self.worker.begin() as db:
            return [(job.id, job.fence) for job in dispatch(db, queue, [room] * 4)]

    def claimed(self, queue: str = "walls", tokens: list[tuple[int, int]] | None = None) -> list[Claimed]:
        with self.worker.begin() as db:
            plain = [job.kind for job in self.registry if job.plain]
            return claim(db, self.me, self.registry.kinds, plain, self.dispatched(queue) if tokens is None else tokens)

    def run(self, queue: str = "walls") -> list[Ended]:
        return [self.runner.run(job) for job in self.claimed(queue)]


@pytest.fixture
def ledger(database: Any) -> Iterator[Ledger]:
    script = Script()
    registry = kinds(script)
    admin = create_engine(database.admin_url)
    worker, web = live_engine(database.worker_url, 8), live_engine(database.web_url, 8)
    with admin.begin() as connection:
        publish(connection, registry)
    told: list[Ended] = []
    runner = Runner(registry, worker, object(), tell=told.append)
    first, second = sorted((uuid4(), uuid4()))
    for business in (first, second):
        with Session(web) as db, db.begin():
            db.execute(text("SELECT nexara.act_for(:id)"), {"id": business})
            db.add(Business(id=business, name="A house", industry="walls", country="GB", zone="UTC"))
    yield Ledger(admin, worker, web, registry, script, runner, first, second, told=told)
    for engine in (admin, worker, web):
        engine.dispose()


@pytest.fixture
def on_call(database: Any) -> Iterator[Engine]:
    engine = create_engine(database.dashboard_url)
    yield engine
    engine.dispose()


@pytest.fixture
def web(ledger: Ledger) -> Callable[..., AbstractContextManager[Session]]:
    """Return what opens a transaction of the web tier, which acts for the first business unless another is named."""

    @contextmanager
    def acting(business: UUID | None = None) -> Iterator[Session]:
        with Session(ledger.web) as db, db.begin():
            db.execute(text("SELECT nexara.act_for(:id)"), {"id": business or ledger.business})
            yield db

    return acting
