"""Rows end when the data map says so: those of one business, or the platform's own, in batches."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, Delete, Table, delete, exists, func, select, true, update
from sqlalchemy.orm import Session

from lifecycle.ends import Ending, endings, own_links, parts, tenant_tables
from lifecycle.indexed import by_index
from lifecycle.made import clear, made_from
from lifecycle.meant import TENANTS
from lifecycle.pace import Pace
from lifecycle.paths import among
from models.data_map import CountryPeriod, TenantSays
from models.entries import rows, table_of
from models.indexes import KEEP_UNTIL

BATCH = 200
"""Rows that are taken first; how many next, the time that they took says."""
PATIENCE = 0.07
"""Seconds for which one transaction goes on with further rows: what it deleted stays locked until it ends."""


def expire(db: Session, as_of: datetime, *, of_tenants: bool, batch: int = BATCH, patience: float = PATIENCE) -> bool:
    """Delete what this transaction may see and whose time is over, `batch` rows first and then as many as time allows.

    Returns whether there may be more: whoever asks goes on in another transaction.
    """
    pace = Pace(batch, patience)
    with by_index(db):
        for each in endings():
            if each.of_tenants is of_tenants and _expire_of(db, each, as_of, pace):
                return True
    if of_tenants:
        _end_tenant(db, as_of)
    return False


def _expire_of(db: Session, each: Ending, as_of: datetime, pace: Pace) -> bool:
    """Delete what is over of one table; returns whether the transaction is to end, for there may be more."""
    pace.anew()
    if is_alone(each):
        return _by_age(db, each, _over(each, as_of), pace)
    more = True
    while more:
        batch = pace.most
        ids = _ended(db, each, as_of, batch)
        if ids:  # looking alone ends no transaction, or a slow database would be looked at for ever
            pace.locking()
        fitted = end(db, each.table, _not_longer(db, each, ids), batch)
        if ids:
            pace.locked(len(ids))
        # What waited for these rows to go comes next.
        more = not fitted or len(ids) == batch or bool(ids and own_links(each.table))
        if pace.is_over():
            return True
    return False


def is_alone(each: Ending) -> bool:
    """Whether nothing but its age decides when a row goes, and nothing else is to be done for it."""
    table = each.table
    hangs = any(True for _ in parts(table)) or any(True for _ in made_from(table)) or bool(own_links(table))
    return not hangs and not isinstance(each.ends, CountryPeriod)


def _by_age(db: Session, each: Ending, over: ColumnElement[bool], pace: Pace) -> bool:
    """Delete rows from the oldest on, a stretch of their ages at a time, as one statement does that names no row."""
    table, age = each.table, each.table.c[each.column]
    # Whatever the statistics say, by the index; and not from its front, where the entries of what went before lie.
    first = db.scalar(select(age).where(over).order_by(age).limit(1))
    if first is None:
        return False
    begins = age >= first
    while True:
        room = pace.most
        ends = db.scalar(select(age).where(over, begins).order_by(age).offset(room).limit(1))
        pace.locking()
        gone = _count(db, delete(table).where(over, begins, true() if ends is None else age < ends))
        if ends is None:
            return pace.is_over()
        if not gone:
            # More than there is room for, and all of one moment.
            some = db.scalars(select(table.c.id).where(over, age == ends).limit(room)).all()
            gone = _count(db, delete(table).where(among(table, "id", some)))
        pace.locked(gone)
        if pace.is_over():
            return True
        begins = age >= ends


def _over(each: Ending, as_of: datetime) -> ColumnElement[bool]:
    if not isinstance(each.ends, TenantSays):
        return each.over(as_of)
    # One row: a tenant's transaction sees itself alone.
    return each.over(as_of, select(TENANTS.c[each.ends.setting]).scalar_subquery())


def _ended(db: Session, each: Ending, as_of: datetime, batch: int) -> Sequence[UUID]:
    """Return the ids of rows whose time is over; one that a younger row of its table points at waits for it."""
    table = each.table
    later = table.alias()
    waits = [
        exists().where(later.c.business_id == table.c.business_id, later.c[name] == table.c.id)
        for name in own_links(table)
    ]
    free = [~wait for wait in waits]
    # The oldest first, which is how the index has them.
    oldest = select(table.c.id).where(_over(each, as_of), *free).order_by(table.c[each.column]).limit(batch)
    return db.scalars(oldest).all()


def _not_longer(db: Session, each: Ending, ids: Sequence[UUID]) -> Sequence[UUID]:
    """Leave out rows that the law, or the business's country, has come to want for longer; they get their new day."""
    if not (isinstance(each.ends, CountryPeriod) and ids):
        return ids
    table = each.table
    period = func.nexara.keep_until_v1(
        str(each.ends.because), TENANTS.c.country, TENANTS.c.zone, table.c[each.ends.since]
    )
    wanted = select(period).where(TENANTS.c.id == table.c.business_id).scalar_subquery()
    kept = table.c[KEEP_UNTIL]
    longer = update(table).where(among(table, "id", ids), kept < wanted).values({KEEP_UNTIL: wanted})
    stay = set(db.scalars(longer.returning(table.c.id)))
    return [each_id for each_id in ids if each_id not in stay]


def end(db: Session, table: Table, ids: Sequence[UUID], batch: int = BATCH) -> bool:
    """Delete these rows, and before them what ends with them; returns whether all of that fitted into a batch."""
    if not ids:
        return True
    for part, column in parts(table):
        theirs = db.scalars(select(part.c.id).where(among(part, column, ids)).limit(batch)).all()
        if not end(db, part, theirs, batch) or len(theirs) == batch:
            return False
    clear(db, table, ids)
    db.execute(delete(table).where(among(table, "id", ids)))
    return True


def _count(db: Session, statement: Delete) -> int:
    made = db.execute(statement)
    assert isinstance(made, CursorResult)  # noqa: S101 - of a statement that changes rows
    return int(made.rowcount)


def _end_tenant(db: Session, as_of: datetime) -> None:
    """Delete the tenant's own row when its period is over and nothing of it is left."""
    (life,) = (row.__life__ for row in rows() if table_of(row) is TENANTS)
    if not isinstance(life.ends, CountryPeriod):
        return
    over = Ending(TENANTS, KEEP_UNTIL, life.ends, of_tenants=True).over(as_of)
    left: list[ColumnElement[bool]] = [exists().where(table.c.business_id == TENANTS.c.id) for table in tenant_tables()]
    db.execute(delete(TENANTS).where(over, *(~each for each in left)))
