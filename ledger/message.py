"""Several statements as one message: a round trip costs both sides more than most of what a job asks for."""

import psycopg
from psycopg import generators
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, abc
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


def say(db: Connection, *statements: str) -> list[bytes | None]:
    """Carry out statements in their order, BEGIN and COMMIT among them; return the first value that each answered.

    They are sent as they stand, so they hold nothing but our own words and numbers. Raises DBAPIError for the first one
    that fails: those before it are done, those after it are not.
    """
    line = db.connection.driver_connection
    assert isinstance(line, psycopg.Connection)  # noqa: S101 - the only driver there is
    said = "; ".join(statements)
    try:
        with line.lock:
            line.pgconn.send_query(said.encode())
            results = line.wait(generators.execute(line.pgconn))
        if results[-1].status not in DONE:
            raise error_from_result(results[-1])
    except psycopg.Error as error:
        if line.closed:
            db.exec_driver_sql("SELECT")  # fails, and has the pool forget what is as old as this connection
        raise DBAPIError.instance(said, None, error, psycopg.Error, hide_parameters=True, dialect=db.dialect) from error
    return [_first(result) for result in results]


def _first(result: abc.PGresult) -> bytes | None:
    return result.get_value(0, 0) if result.ntuples and result.nfields else None
