"""Several statements as one message: a round trip costs both sides more than most of what a job asks for."""

import psycopg
from psycopg import generators
from psycopg.errors import InFailedSqlTransaction, error_from_result
from psycopg.pq import ExecStatus, abc
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
Answers = list[bytes | None]


def say(db: Connection, *statements: str) -> Answers:
    """Carry out statements in their order, BEGIN and COMMIT among them; return the first value that each answered.

    They are sent as they stand, so they hold nothing but our own words and numbers. Raises DBAPIError for the first one
    that fails: those before it are done, those after it are not.
    """
    answers, error = attempt(db, *statements)
    if error is not None:
        raise error
    return answers


def attempt(db: Connection, *statements: str) -> tuple[Answers, DBAPIError | None]:
    """Carry out statements as `say` does; return what those answered that were done, and the error of the next one.

    Raises DBAPIError if the connection is lost: nobody knows then which of them were done.
    """
    line = db.connection.driver_connection
    assert isinstance(line, psycopg.Connection)  # noqa: S101 - the only driver there is
    said = "; ".join(statements)
    answers: Answers = []
    try:
        with line.lock:
            line.pgconn.send_query(said.encode())
            results = line.wait(generators.execute(line.pgconn))
        for statement, result in zip(statements, results, strict=False):
            if result.status not in DONE:
                raise error_from_result(result)
            if statement.startswith("COMMIT") and result.command_status == b"ROLLBACK":
                # What the server answers if a statement before has failed and somebody went on all the same.
                raise InFailedSqlTransaction("the transaction had failed, and was rolled back")
            answers.append(_first(result))
    except psycopg.Error as error:
        if line.closed:
            db.exec_driver_sql("SELECT")  # fails, and has the pool forget what is as old as this connection
        failed = DBAPIError.instance(said, None, error, psycopg.Error, hide_parameters=True, dialect=db.dialect)
        assert isinstance(failed, DBAPIError)  # noqa: S101 - every error of the driver is one
        return answers, failed
    return answers, None


def _first(result: abc.PGresult) -> bytes | None:
    return result.get_value(0, 0) if result.ntuples and result.nfields else None
