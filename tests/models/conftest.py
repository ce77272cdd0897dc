"""A migrated database with two businesses, each with one row in every table, and its roles to look at them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from tests.rows import plant

HOUSE = UUID(int=0)


@dataclass
class Town:
    """Two businesses in one database."""

    admin: Engine
    web: Engine
    mine: UUID
    theirs: UUID
    my_rows: dict[str, dict[str, Any]]
    their_rows: dict[str, dict[str, Any]]

    @contextmanager
    def acting(self, role: str, business: UUID | None) -> Iterator[Connection]:
        """Give a transaction of the web tier or of a job, in one business's name or in none's; it is rolled back."""
        with self.web.connect() if role == "nexara_web" else self.admin.connect() as db:
            if role == "nexara_web" and business is not None:
                db.execute(text("SELECT nexara.act_for(:business)"), {"business": business})
            if role == "tenant_job":
                become_job(db, business)
            yield db
            db.rollback()


def become_job(db: Connection, business: UUID | None) -> None:
    """Make this superuser's transaction that of a job: its row is this very transaction's, as begin_load_v1 has it."""
    if business is not None:
        job = db.scalar(
            text("""
                INSERT INTO ledger.jobs (id, kind, queue, priority, business_id, root_id, payload, until_done, state,
                                         max_attempts, run_at, give_up_at, started_at)
                SELECT id, 'tests.look', 'tests', 1, :business, id, '{}', false, 'available', 1, now(), now(), now()
                FROM nextval('ledger.jobs_id_seq') id RETURNING id
            """),
            {"business": business},
        )
        db.execute(text("SELECT set_config('nexara.job', :job, true)"), {"job": str(job)})
    db.execute(text("SET LOCAL ROLE tenant_job"))


@pytest.fixture
def admin(database: Any) -> Iterator[Engine]:
    engine = create_engine(database.admin_url)
    yield engine
    engine.dispose()


@pytest.fixture
def town(database: Any, admin: Engine) -> Iterator[Town]:
    mine, theirs = uuid4(), uuid4()
    web = create_engine(database.web_url)
    with admin.begin() as db:
        # What the facts enqueue is another test's business.
        db.execute(text("SET LOCAL session_replication_role = replica"))
        my_rows, their_rows = plant(db, mine), plant(db, theirs)
    yield Town(admin, web, mine, theirs, my_rows, their_rows)
    web.dispose()
