"""One thread's connection, kept from one job to the next: the message that commits one may begin the next one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from ledger.claimed import Claimed
from ledger.message import attempt, say


class Line:
    """Lends its connection to the jobs of one thread, one after the other; `take` gives the thread its next job.

    Nobody may hold it while he asks for another connection: whatever fails drops it first.
    """

    def __init__(self, engine: Engine, take: Callable[[], Claimed | None] = lambda: None) -> None:
        self._engine = engine
        self._take = take
        self._next: Claimed | None = None
        self._db: Connection | None = None
        self._begun: Claimed | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drop()

    def next(self) -> Claimed | None:
        """Return the job that this thread runs after the present one, if there is one already."""
        if self._next is None:
            self._next = self._take()
        return self._next

    def move_on(self) -> Claimed | None:
        """Return that job as the present one."""
        job, self._next = self.next(), None
        return job

    def has_begun(self, job: Claimed) -> bool:
        """Whether the job's transaction is open here: it has been started, and must be run."""
        return self._begun is job

    def connection(self) -> Connection:
        """Return the connection, with no transaction that the server knows of, unless one has begun."""
        if self._db is None:
            self._db = self._engine.connect()
        if not self._db.in_transaction():
            self._db.begin()  # SQLAlchemy's own notion, over all of the server's that follow: only we say COMMIT
        return self._db

    def session(self) -> Session:
        """Return a session in the transaction that is open; its commit writes what it holds, and does not commit."""
        return Session(self.connection(), join_transaction_mode="rollback_only")

    @contextmanager
    def dropped_on_failure(self) -> Iterator[None]:
        """Drop the connection if the block fails: what is done about that takes another, and must not wait for this."""
        try:
            yield
        except BaseException:
            self.drop()
            raise

    def commit(self, following: Claimed | None = None, *opening: str) -> None:
        """Commit; then carry out the statements that open the following job's transaction, in the same message.

        Raises DBAPIError if the commit fails. If the opening does, the following job has not begun.
        """
        self._begun = None
        db = self.connection()
        if following is None:
            say(db, "COMMIT")
            return
        answers, error = attempt(db, "COMMIT AND CHAIN", *opening)
        if error is None:
            self._begun = following
        elif answers:  # the job that is committed is none the worse for it; the next one finds out by itself
            self.drop()
        else:
            raise error

    def drop(self) -> None:
        """Roll back what is open, and give the connection back."""
        db, self._db, self._begun = self._db, None, None
        if db is not None:
            db.close()
