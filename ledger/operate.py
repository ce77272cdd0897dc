"""What on-call may do to a job."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import DBAPIError

LARGEST = 2**63 - 1
BAD_INPUT, LOCKED, TAKEN = "22023", "55P03", "23505"


class Refused(Exception):
    """The job is in no state for this; the message says what to do instead."""


def take(db: Connection, job_id: int) -> dict[str, Any]:
    """Lock a job until the transaction ends, and return how it stands: for the audit; raises Refused."""
    if job_id > LARGEST:
        raise Refused(f"there is no job {job_id}")
    stands: dict[str, Any] = _operate(db, "SELECT ledger.take_job_v1(:id)", job_id)
    return stands


def retry(db: Connection, job_id: int) -> str:
    """Make a failed, parked or waiting job available now; returns its state; raises Refused."""
    return str(_operate(db, "SELECT ledger.retry_job_v1(:id)", job_id))


def run_now(db: Connection, job_id: int) -> str:
    """Make a job that waits due at once, its attempts as they stand; returns its state; raises Refused."""
    return str(_operate(db, "SELECT ledger.run_now_v1(:id)", job_id))


def edit(db: Connection, job_id: int, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Give a job that waits or has failed another payload and retry it; returns it as stored; raises Refused."""
    stored: dict[str, Any] = _operate(
        db, "SELECT ledger.edit_job_v1(:id, CAST(:payload AS jsonb))", job_id, payload=json.dumps(payload)
    )
    return stored


def discard(db: Connection, job_id: int) -> str:
    """Put a job aside for good; returns its state; raises Refused."""
    return str(_operate(db, "SELECT ledger.discard_job_v1(:id)", job_id))


def cancel(db: Connection, job_id: int) -> str:
    """End a job that need not be done, a running one at its next checkpoint; returns its state; raises Refused."""
    return str(_operate(db, "SELECT ledger.cancel_job_v1(:id)", job_id))


def snooze(db: Connection, job_id: int, until: datetime) -> str:
    """Put off a job that waits until a moment within a year; returns its state; raises Refused."""
    return str(_operate(db, "SELECT ledger.snooze_job_v1(:id, :until)", job_id, until=until))


def said(error: DBAPIError) -> str:
    """Return the first line of what one of our SQL functions raised: our own words."""
    told = error.orig.diag.message_primary if isinstance(error.orig, psycopg.Error) else None
    return told or "the database refused"


def ask(db: Connection, statement: TextClause, values: Mapping[str, object]) -> Any:
    """Call a function of the ledger and return its value; raises Refused with what the function says."""
    return ask_row(db, statement, values)[0]


def ask_row(db: Connection, statement: TextClause, values: Mapping[str, object]) -> Any:
    """Call a function of the ledger and return its one row; raises Refused with what the function says."""
    try:
        return db.execute(statement, values).one()
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state == BAD_INPUT:
            raise Refused(said(error)) from None
        if state == TAKEN:
            raise Refused("another job took its key in this very moment: look again") from None
        raise


def _operate(db: Connection, statement: str, job_id: int, **more: object) -> Any:
    try:
        return ask(db, text(statement), {"id": job_id, **more})
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == LOCKED:
            raise Refused(f"job {job_id} is being written by its worker right now: look again in a moment") from None
        raise
