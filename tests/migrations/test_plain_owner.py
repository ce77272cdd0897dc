"""An owner who is no superuser and may pass by no wall migrates; the walls and the engine hold all the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from jobs.registry import load
from ledger import clock
from ledger.claim import claim
from ledger.claimed import Ended
from ledger.dispatch import dispatch
from ledger.queries import read_oldest
from ledger.run import Runner
from migrations.apply import migrate
from models.accounts import Business
from models.conversations import Channel, Conversation
from models.people import Person
from sandbox.postgres import Postgres
from schedules.fire import fire_one, previous
from schedules.table import TIMETABLE, Schedule
from workers.doctor import SEES_ALL, told_of
from workers.wiring import engine

PASSWORDS = {"nexara_worker": "worker", "nexara_web": "web", "nexara_dashboard": "dashboard"}


@dataclass
class House:
    """A database that its owner migrated twice, and the real roles to enter it."""

    owner: Engine
    web: Engine
    worker: Engine
    dashboard: Engine


@pytest.fixture(scope="module")
def house(folder: Path, postgres: Postgres) -> Iterator[House]:
    # Roles belong to the whole server, and this owner must make them itself: a server of its own.
    server = Postgres(folder / "owned", binaries=postgres.binaries)
    server.start()
    with psycopg.connect(server.admin_url.replace("+psycopg", ""), autocommit=True) as superuser:
        superuser.execute("CREATE ROLE migrator LOGIN CREATEROLE PASSWORD 'migrator'")
        superuser.execute("CREATE DATABASE owned OWNER migrator")
    for _ in range(2):
        migrate(server.url("owned", "migrator", "migrator"), PASSWORDS)
    web, worker, dashboard = (
        engine(server.url("owned", role, PASSWORDS[role]), 2)
        for role in ("nexara_web", "nexara_worker", "nexara_dashboard")
    )
    made = House(create_engine(server.url("owned", "migrator", "migrator")), web, worker, dashboard)
    yield made
    for each in (made.owner, made.web, made.worker, made.dashboard):
        each.dispose()
    server.stop("immediate")


def opened(house: House) -> tuple[UUID, UUID]:
    """Open a business with one ended chat, as the web tier; returns the ids of both."""
    business, person, chat = uuid4(), uuid4(), uuid4()
    ended = clock.now()
    with Session(house.web) as db, db.begin():
        db.execute(text("SELECT nexara.act_for(:id)"), {"id": business})
        db.add(Business(id=business, name="A house", industry="walls", country="GB", zone="UTC"))
        db.flush()
        db.add(Person(business_id=business, id=person))
        db.flush()
        db.add(
            Conversation(
                business_id=business,
                id=chat,
                person_id=person,
                channel=Channel.WEB_CHAT,
                started_at=ended,
                ended_at=ended,
                event_key=uuid4().hex * 2,
            )
        )
    return business, chat


def seen(house: House, business: UUID, table: str) -> set[UUID]:
    with house.web.begin() as db:
        db.execute(text("SELECT nexara.act_for(:id)"), {"id": business})
        return set(db.execute(text(f"SELECT id FROM live.{table}")).scalars())


def test_a_business_sees_its_own_and_adds_to_no_other(house: House) -> None:
    (mine, my_chat), (theirs, their_chat) = opened(house), opened(house)
    assert seen(house, mine, "conversations") == {my_chat}
    assert seen(house, theirs, "conversations") == {their_chat}
    with pytest.raises(DBAPIError, match="row-level security"), house.web.begin() as db:
        db.execute(text("SELECT nexara.act_for(:id)"), {"id": mine})
        db.execute(text("INSERT INTO live.people (business_id) VALUES (:theirs)"), {"theirs": theirs})
    for entering in (house.web, house.worker, house.dashboard):
        with pytest.raises(DBAPIError, match="permission denied"), entering.begin() as db:
            db.execute(text("SELECT * FROM nexara.people"))


def test_it_was_no_superuser_who_migrated(house: House) -> None:
    with house.owner.begin() as db:
        passes = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert db.execute(passes).scalar() is False


def test_who_looks_for_old_transactions_is_told_whether_all_are_seen(house: House) -> None:
    with house.web.connect() as open_one, house.worker.connect() as db:
        open_one.execute(text("SELECT nexara.act_for(:id)"), {"id": uuid4()})
        open_one.execute(text("SELECT pg_current_xact_id()"))
        sees_all = bool(db.execute(SEES_ALL).scalar())
        finding = told_of(read_oldest(db), sees_all=sees_all)
    assert ("nexara_web" in finding.found) == sees_all
    assert ("GRANT pg_read_all_stats" in finding.mend) != sees_all


def test_a_fact_enqueues_its_job_and_on_call_sees_it(house: House) -> None:
    business, chat = opened(house)
    with house.dashboard.begin() as db:
        jobs = db.execute(text("SELECT kind, payload FROM ledger.jobs WHERE business_id = :id"), {"id": business}).all()
    assert [(job.kind, job.payload) for job in jobs] == [("conversations.summarize", {"conversation_id": str(chat)})]


@pytest.mark.parametrize("entry", TIMETABLE, ids=lambda entry: entry.name)
def test_the_jobs_of_the_house_run(house: House, entry: Schedule) -> None:
    """They ask across businesses, through functions that only the right owners can be behind."""
    opened(house)
    registry = load()
    told: list[Ended] = []
    runner = Runner(registry, house.worker, object(), tell=told.append)
    with house.worker.begin() as db:
        job_id = fire_one(db, entry, previous(entry, clock.now()), skip=False)
        queue = registry[entry.payload(clock.now()).kind].payload.terms.queue
        tokens = [(job.id, job.fence) for job in dispatch(db, queue, [100] * 4)]
    with house.worker.begin() as db:
        jobs = claim(db, uuid4(), registry.kinds, [], tokens)
    for job in jobs:
        runner.run(job)
    assert job_id in [ended.job_id for ended in told]
    assert {(ended.state, ended.failure) for ended in told} == {("succeeded", None)}
