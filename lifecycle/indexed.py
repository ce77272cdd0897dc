"""Statistics may be as old as the last bulk load; whatever they say, no table is read from end to end, nor sorted."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

SETTINGS = ("enable_seqscan", "enable_sort")


@contextmanager
def by_index(db: Session) -> Iterator[None]:
    """Have statements go by an index, and in its order, wherever there is one; an error ends the transaction."""
    before = db.execute(select(*map(func.current_setting, SETTINGS))).one()
    _set(db, ["off"] * len(SETTINGS))
    yield
    _set(db, list(before))


def _set(db: Session, values: list[str]) -> None:
    told = zip(SETTINGS, values, strict=True)
    db.execute(select(*(func.set_config(name, value, literal(value=True)) for name, value in told)))
