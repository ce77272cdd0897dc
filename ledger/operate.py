"""What on-call may do to a job."""

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError


class Refused(Exception):
    """The job is in no state for this; the message says what to do instead."""


def retry(db: Connection, job_id: int) -> None:
    """Make a failed, parked or waiting job available now; raises Refused."""
    _operate(db, "SELECT ledger.retry_job_v1(:id)", job_id)


def discard(db: Connection, job_id: int) -> None:
    """Put a job aside for good; raises Refused."""
    _operate(db, "SELECT ledger.discard_job_v1(:id)", job_id)


def said(error: DBAPIError) -> str:
    """Return the first line of what one of our SQL functions raised: our own words."""
    told = error.orig.diag.message_primary if isinstance(error.orig, psycopg.Error) else None
    return told or "the database refused"


def _operate(db: Connection, statement: str, job_id: int) -> None:
    try:
        db.execute(text(statement), {"id": job_id})
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state == "22023":
            raise Refused(said(error)) from None
        if state == "55P03":
            raise Refused(f"job {job_id} is being written by its worker right now: look again in a moment") from None
        raise
