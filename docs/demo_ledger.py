"""A made-up ledger for pictures and for looking at pages: docs/demo_ledger.sql over a fresh database."""

import secrets
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from jobs.registry import load
from ledger import operations, operators
from ledger.audit import Actor, record
from ledger.contract import publish
from ledger.operate import retry, take
from ledger.pause import pause
from ledger.queries.order import JobFilter
from models.operations import Action
from models.operators import Role

STATEMENTS = Path(__file__).with_suffix(".sql")
PRIVACY = Path(__file__).with_name("demo_privacy.sql")
DEAD = text(
    "SELECT id, fingerprint FROM ledger.jobs WHERE state = 'dead' AND kind = 'leads.extract' ORDER BY id LIMIT 1"
)


def beat(admin: Engine) -> None:
    """Have two of the three workers beat: the third has fallen silent."""
    with admin.begin() as db:
        db.execute(
            text(
                "UPDATE ledger.workers SET heartbeat_at = clock_timestamp() - interval '1 s' "
                "WHERE id IN (CAST(md5('worker0') AS uuid), CAST(md5('worker1') AS uuid))"
            )
        )


def fill(admin: Engine) -> None:
    """Fill a fresh ledger; the engine is a superuser's."""
    with admin.begin() as db:
        publish(db, load())
    with admin.begin() as db:
        for statements in (STATEMENTS, PRIVACY):
            db.exec_driver_sql(statements.read_text(encoding="utf-8").replace("%", "%%"))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        while db.execute(text("SELECT ledger.count_pace_v1()")).scalar():
            pass
        db.execute(text("ANALYZE ledger.jobs, ledger.attempts"))


def act_by_hand(admin: Engine, dashboard: Engine) -> None:
    """Leave the traces of people who are on call: operators, a pause, a retry, operations and their audit."""
    ada, vic = Actor("ada", Role.ADMIN), Actor("vic", Role.OPERATOR)
    with admin.connect() as db:
        dead, fingerprint = db.execute(DEAD).one()
        queue = db.execute(text("SELECT queue FROM ledger.job_kinds WHERE kind = 'usage.meter'")).scalar_one()
    with dashboard.begin() as db:
        for name, role in (("ada", Role.ADMIN), ("vic", Role.OPERATOR), ("lou", Role.VIEWER)):
            operators.add(db, name, role, secrets.token_hex(8))
            record(db, ada, "operators.add", about={"operator": name}, after={"role": role})
        operators.disable(db, "lou")
        record(db, ada, "operators.disable", why="has left the team", about={"operator": "lou"})
        number = pause(db, who=vic.name, why="the meter counts twice: see the release notes", queue=queue)
        record(
            db,
            vic,
            "pauses.begin",
            why="the meter counts twice: see the release notes",
            about={"pause": number, "queue": queue},
        )
        before = take(db, dead)
        retry(db, dead)
        record(db, vic, "jobs.retry", jobs=[dead], before=before, after=take(db, dead))
        wanted = JobFilter(failing=fingerprint)
        operations.create(db, vic, Action.RETRY, wanted, why="the cause is mended", spread=timedelta(minutes=10))
    with admin.begin() as db:  # as if its job had gone through a few batches
        db.execute(text("UPDATE ledger.operations SET done = total * 3 / 5, skipped = '{\"moved_on\": 1}'"))
