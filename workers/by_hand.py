"""What `nexara enqueue` and `nexara jobs` do: the dashboard's role, at the command line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import Any
from uuid import UUID

import click
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from ledger import operate as ledger_operate
from settings import Settings
from workers.wiring import NotConfigured, engine, require

HOUSE = UUID(int=0)
BAD_INPUT = "22"
"""The class of SQLSTATEs that say what is wrong with what was given."""


@contextmanager
def connected(settings: Settings) -> Iterator[Connection]:
    """Yield a transaction as nexara_dashboard."""
    require(dashboard_database_url=settings.dashboard_database_url)
    database = engine(settings.dashboard_database_url, 1)
    try:
        with database.begin() as db:
            yield db
    finally:
        database.dispose()


def enqueue(settings: Settings, kind: str, payload: str, business: str | None) -> int:
    """Enqueue a job by the function that everybody calls; raises NotConfigured with what is wrong."""
    try:
        owner = UUID(business) if business else HOUSE
        given = json.dumps(json.loads(payload))
    except ValueError:
        raise NotConfigured("PAYLOAD must be JSON, and --business a UUID") from None
    try:
        with connected(settings) as db:
            job_id: int = db.execute(
                text("SELECT ledger.enqueue_job_v1(:kind, CAST(:payload AS jsonb), CAST(:business AS uuid))"),
                {"kind": kind, "payload": given, "business": owner},
            ).scalar_one()
            return job_id
    except DBAPIError as error:
        if str(getattr(error.orig, "sqlstate", "")).startswith(BAD_INPUT):
            raise NotConfigured(ledger_operate.said(error)) from None
        raise


def operate(settings: Settings, what: str, job_ids: tuple[int, ...], *, as_json: bool) -> int:
    """Retry or discard jobs, one by one; returns 0 if all could be, else 1."""
    act = {"retry": ledger_operate.retry, "discard": ledger_operate.discard}[what]
    done = {"retry": "available", "discard": "discarded"}[what]
    status = 0
    for job_id in job_ids:
        refused = None
        try:
            with connected(settings) as db:
                act(db, job_id)
        except ledger_operate.Refused as why:
            refused, status = str(why), 1
        if as_json:
            click.echo(json.dumps({"id": job_id, "state": None if refused else done, "refused": refused}))
        else:
            click.echo(refused or f"job {job_id} is {done}", err=bool(refused))
    return status


def as_json(value: Any) -> str:
    """Return a row of the ledger's queries as one line of JSON."""
    return json.dumps(asdict(value) if is_dataclass(value) and not isinstance(value, type) else value, default=str)
