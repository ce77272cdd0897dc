"""How long a worker's transactions held rows: from the first statement that locks one to the end of the commit."""

import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event

LOCKING = ("DELETE", "UPDATE")
"""How the statements begin that lock rows which others may want to write: a new row, and a job's own, nobody does."""
FINDS_FIRST = "SELECT ledger.forget_jobs_v1"
"""One that looks for the rows and locks them only then, shortly before it ends."""


@dataclass
class Holds:
    """What was held, and how long all transactions took, in seconds."""

    held: list[float] = field(default_factory=list)
    spent: float = 0.0
    _began: dict[int, float] = field(default_factory=dict)
    _locked: dict[int, float] = field(default_factory=dict)

    def watch(self, engine: Engine) -> None:
        """Time every transaction of an engine."""
        event.listen(engine, "begin", lambda c: self._began.setdefault(_key(c), time.monotonic()))
        event.listen(engine, "before_cursor_execute", self._executing)
        event.listen(engine, "after_cursor_execute", self._executed)
        dialect: Any = engine.dialect
        for name in ("do_commit", "do_rollback"):
            # SQLAlchemy's own event comes before the commit, whose wait for the disk is part of it.
            setattr(dialect, name, self._ending(getattr(dialect, name)))

    def forget(self) -> None:
        """Begin anew."""
        self.held.clear()
        self.spent = 0.0

    def longest(self) -> float:
        """Return the longest hold in milliseconds."""
        return 1000 * max(self.held, default=0.0)

    def _executing(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith(LOCKING):
            self._locked.setdefault(_key(connection), time.monotonic())

    def _executed(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(FINDS_FIRST):
            self._locked.setdefault(_key(connection), time.monotonic())

    def _ending(self, does: Any) -> Any:
        def ends(connection: Any) -> None:
            does(connection)
            key, now = id(getattr(connection, "dbapi_connection", connection)), time.monotonic()
            self.spent += now - self._began.pop(key, now)
            if key in self._locked:
                self.held.append(now - self._locked.pop(key))

        return ends


def _key(connection: Any) -> int:
    return id(connection.connection.dbapi_connection)
