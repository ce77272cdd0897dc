"""What the data map asks of the database, made so: policies, views, triggers, rights, and the map as rows."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from models.base import Row
from models.entries import rows, table_of
from models.guards.arrivals import arrival_guards
from models.guards.by_hand import BY_HAND
from models.guards.closed import closed_guards
from models.guards.guard import Guard
from models.guards.keeping import keep_guards
from models.guards.memory import memory_guards
from models.guards.publish import Kept, kept_guards, publish_guards, publish_map
from models.guards.tenancy import table_guards
from models.guards.traces import trace_guards
from models.guards.views import view_guards

FILES = ("leave", "keep", "refuse", "catalog", "unmapped")


def guards() -> Iterator[Guard]:
    """Yield everything that the map asks for, in the order in which it can be made."""
    ours = [row for row in rows() if table_of(row).schema == Row.metadata.schema]
    for row in ours:
        yield from table_guards(row)
    for row in ours:
        yield from view_guards(row)
    for name in FILES:
        made = (Path(__file__).resolve().parent / f"{name}.sql").read_text(encoding="utf-8")
        yield Guard(entry=f"file {name}.sql", make=made)
    for row in ours:
        yield from closed_guards(row)
        yield from trace_guards(row)
        yield from arrival_guards(row)
        yield from memory_guards(row)
        yield from keep_guards(row)


def apply(db: Connection) -> list[str]:
    """Make the database what the map asks for, within the caller's transaction; returns what had to be made.

    Only what changed is replaced, since replacing a policy waits for every reader: set a lock_timeout. What was
    made for an earlier map and is asked for no more is dropped.
    """
    wanted = {guard.entry: guard for guard in guards()}
    kept = kept_guards(db)
    stale = [guard for guard in wanted.values() if _is_stale(guard, kept)]
    if any(kept[entry].drifted for entry in BY_HAND & kept.keys()):
        stale += [guard for guard in wanted.values() if guard.entry.startswith("file ") and guard not in stale]
    for entry, each in kept.items():
        if entry not in wanted and entry not in BY_HAND and each.drop:
            _run(db, each.drop)
    for guard in stale:
        _run(db, guard.make)
    publish_guards(db, wanted)
    publish_map(db)
    return [guard.entry for guard in stale]


def _is_stale(guard: Guard, kept: dict[str, Kept]) -> bool:
    have = kept.get(guard.entry)
    return have is None or have.drifted or have.sha != guard.sha


def _run(db: Connection, statements: str) -> None:
    driver = db.connection.driver_connection
    assert driver is not None  # noqa: S101 - a live connection has one
    # The driver alone takes several statements at once, and no colon or percent sign for a parameter.
    driver.execute(statements)
