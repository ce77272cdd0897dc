"""The oldest transaction, whoever's it is: what it may still see cannot be removed, and every pick walks over it."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

OLDEST = text("SELECT seconds, pid, role, state, prepared FROM ledger.oldest_transaction_v1()")
TOO_OLD = timedelta(minutes=1)
"""The engine's own take seconds: an older one is a report, a forgotten session or a backup."""


@dataclass(frozen=True, slots=True)
class OpenTransaction:
    """A transaction that is open; `pid` is None and `prepared` its name where no session holds it any more."""

    age: timedelta
    pid: int | None
    role: str | None
    state: str | None
    prepared: str | None

    @property
    def too_old(self) -> bool:
        """Whether it costs the engine something by now."""
        return self.age >= TOO_OLD

    @property
    def mend(self) -> str:
        """The statement that ends it."""
        if self.pid is None:
            return f"ROLLBACK PREPARED '{self.prepared}'"
        return f"SELECT pg_terminate_backend({self.pid})"


def read_oldest(db: Connection) -> OpenTransaction | None:
    """Return the oldest open transaction but this one; None if there is no other."""
    row = db.execute(OLDEST).one_or_none()
    if row is None:
        return None
    return OpenTransaction(timedelta(seconds=row.seconds), row.pid, row.role, row.state, row.prepared)
