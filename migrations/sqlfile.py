"""The SQL functions as files, run by the revision that brings them; a released one is never edited."""

from pathlib import Path

from sqlalchemy import Connection

SQL = Path(__file__).resolve().parent / "sql"


def run(db: Connection, *names: str) -> None:
    """Run migrations/sql/`name`.sql, each a script of its own, in the transaction of the connection."""
    driver = db.connection.driver_connection
    assert driver is not None  # noqa: S101 - a live connection has one
    for name in names:
        driver.execute((SQL / f"{name}.sql").read_text(encoding="utf-8"))
