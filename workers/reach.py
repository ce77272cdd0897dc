"""Say of a server that a setting names why it is of no use, in our own words: its own may hold the password."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from workers.bell import connect
from workers.wiring import NotConfigured

POSTGRES = ("postgresql", "postgresql+psycopg")
UNMIGRATED = ("3F000", "42P01", "42703", "42883")
"""SQLSTATEs of a schema, table, column or function that is not there."""
BY_STATE = {
    "28000": "the server does not let this role in",
    "28P01": "the password is wrong",
    "3D000": "there is no such database",
    "42501": "its role may not do this",
    "53300": "the server has no connection left",
    "55P03": "somebody else holds a lock on it; try again in a moment",
    "57014": "it took too long",
} | dict.fromkeys(UNMIGRATED, "the database is not at this release: run `nexara migrate`")
BY_WORDS = {
    "password authentication failed": "the password is wrong",
    "NOAUTH": "a password is missing",
    "WRONGPASS": "the password is wrong",
    "does not exist": "there is no such database or role",
    "no pg_hba.conf entry": "the server does not let this role in",
    "remaining connection slots": "the server has no connection left",
    "too many clients": "the server has no connection left",
    "starting up": "the server is still starting",
    "Connection refused": "no server listens there",
    "resolve host": "there is no such host",
    "Name or service not known": "there is no such host",
    "timeout": "no answer in time",
    "timed out": "no answer in time",
}
"""What is said of a connection that was refused, where there is no SQLSTATE yet."""


@contextmanager
def reaching(setting: str, url: str) -> Iterator[None]:
    """Raise NotConfigured, naming the setting, for a database that cannot be used: by its address or by its answer."""
    if fault := malformed(url):
        raise NotConfigured(f"{setting}: {fault}")
    try:
        yield
    except (SQLAlchemyError, psycopg.Error) as error:
        raise NotConfigured(f"{setting}: {reason(error)}") from None


def malformed(url: str) -> str:
    """Return what is wrong with a database's URL; empty for a good one."""
    try:
        driver = make_url(url).drivername
    except (SQLAlchemyError, ValueError):
        driver = ""
    return "" if driver in POSTGRES else "it is not written as postgresql://role:password@host:5432/database"


def redis_malformed(url: str) -> str:
    """Return what is wrong with a URL of Redis; empty for a good one."""
    try:
        connect(url).close()
    except ValueError:
        return "it is not written as redis://:password@host:6379/0"
    return ""


def reason(error: Exception) -> str:
    """Return why a server is of no use, without quoting it."""
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None)
    if state:
        return BY_STATE.get(state, f"the database refused (SQLSTATE {state})")
    said = str(cause)
    return next(
        (meaning for words, meaning in BY_WORDS.items() if words in said), f"no answer ({type(cause).__name__})"
    )
