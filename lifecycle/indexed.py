"""Statistics may be as old as the last bulk load; whatever they say, no table is read from end to end."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

SETTING = "enable_seqscan"


@contextmanager
def by_index(db: Session) -> Iterator[None]:
    """Have statements go by an index wherever there is one, until the block ends; an error ends the transaction."""
    before = db.scalar(select(func.current_setting(SETTING)))
    _set(db, "off")
    yield
    _set(db, before)


def _set(db: Session, value: str | None) -> None:
    db.execute(select(func.set_config(SETTING, value, literal(value=True))))
