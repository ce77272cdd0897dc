"""What on-call may do to a job."""

from datetime import datetime

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError


class Refused(Exception):
    """The job is in no state for this; the message says what to do instead."""


def retry(db: Connection, job_id: int) -> str:
    """Make a failed, parked or waiting job available now; returns its state; raises Refused."""
    return _operate(db, "SELECT ledger.retry_job_v1(:id)", job_id)


def discard(db: Connection, job_id: int) -> str:
    """Put a job aside for good; returns its state; raises Refused."""
    return _operate(db, "SELECT ledger.discard_job_v1(:id)", job_id)


def cancel(db: Connection, job_id: int) -> str:
    """End a job that need not be done, a running one at its next checkpoint; returns its state; raises Refused."""
    return _operate(db, "SELECT ledger.cancel_job_v1(:id)", job_id)


def snooze(db: Connection, job_id: int, until: datetime) -> str:
    """Put off a job that waits until a moment within a year; returns its state; raises Refused."""
    return _operate(db, "SELECT ledger.snooze_job_v1(:id, :until)", job_id, until=until)


def said(error: DBAPIError) -> str:
    """Return the first line of what one of our SQL functions raised: our own words."""
    told = error.orig.diag.message_primary if isinstance(error.orig, psycopg.Error) else None
    return told or "the database refused"


def _operate(db: Connection, statement: str, job_id: int, **more: object) -> str:
    try:
        state: str = db.execute(text(statement), {"id": job_id, **more}).scalar_one()
    except DBAPIError as error:
        code = getattr(error.orig, "sqlstate", None)
        if code == "22023":
            raise Refused(said(error)) from None
        if code == "55P03":
            raise Refused(f"job {job_id} is being written by its worker right now: look again in a moment") from None
        raise
    return state
