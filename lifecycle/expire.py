"""Rows end when the data map says so: those of one business, or the platform's own, in batches."""

import time
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, exists, func, select, update
from sqlalchemy.orm import Session

from lifecycle.ends import Ending, endings, own_links, parts, tenant_tables
from lifecycle.made import clear
from lifecycle.meant import TENANTS
from models.data_map import CountryPeriod, TenantSays
from models.entries import rows, table_of
from models.indexes import KEEP_UNTIL

BATCH = 500
PATIENCE = 0.05
"""Seconds for which one transaction goes on with a further batch: what it deleted stays locked until it ends."""


def expire(db: Session, as_of: datetime, *, of_tenants: bool, batch: int = BATCH, patience: float = PATIENCE) -> bool:
    """Delete what this transaction may see and whose time is over, `batch` rows of a table at once.

    Returns whether there may be more: whoever asks goes on in another transaction.
    """
    begun, worked = time.monotonic(), False
    for each in endings():
        more = each.of_tenants is of_tenants
        while more:
            ids = _ended(db, each, as_of, batch)
            fitted = end(db, each.table, _not_longer(db, each, ids), batch)
            # What waited for these rows to go comes next.
            more = not fitted or len(ids) == batch or bool(ids and own_links(each.table))
            worked = worked or bool(ids)
            # Looking alone ends no transaction, or a slow database would be looked at for ever.
            if worked and time.monotonic() - begun > patience:
                return True
    if of_tenants:
        _end_tenant(db, as_of)
    return False


def _ended(db: Session, each: Ending, as_of: datetime, batch: int) -> Sequence[UUID]:
    """Return the ids of rows whose time is over; one that a younger row of its table points at waits for it."""
    table = each.table
    setting = None
    if isinstance(each.ends, TenantSays):
        # One row: a tenant's transaction sees itself alone.
        setting = select(TENANTS.c[each.ends.setting]).scalar_subquery()
    later = table.alias()
    waits = [
        exists().where(later.c.business_id == table.c.business_id, later.c[name] == table.c.id)
        for name in own_links(table)
    ]
    free = [~wait for wait in waits]
    # The oldest first, which is how the index has them.
    oldest = select(table.c.id).where(each.over(as_of, setting), *free).order_by(table.c[each.column]).limit(batch)
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
    longer = update(table).where(table.c.id.in_(ids), kept < wanted).values({KEEP_UNTIL: wanted})
    stay = set(db.scalars(longer.returning(table.c.id)))
    return [each_id for each_id in ids if each_id not in stay]


def end(db: Session, table: Table, ids: Sequence[UUID], batch: int = BATCH) -> bool:
    """Delete these rows, and before them what ends with them; returns whether all of that fitted into a batch."""
    if not ids:
        return True
    for part, column in parts(table):
        theirs = db.scalars(select(part.c.id).where(part.c[column].in_(ids)).limit(batch)).all()
        if not end(db, part, theirs, batch) or len(theirs) == batch:
            return False
    clear(db, table, ids)
    db.execute(delete(table).where(table.c.id.in_(ids)))
    return True


def _end_tenant(db: Session, as_of: datetime) -> None:
    """Delete the tenant's own row when its period is over and nothing of it is left."""
    (life,) = (row.__life__ for row in rows() if table_of(row) is TENANTS)
    if not isinstance(life.ends, CountryPeriod):
        return
    over = Ending(TENANTS, KEEP_UNTIL, life.ends, of_tenants=True).over(as_of)
    left: list[ColumnElement[bool]] = [exists().where(table.c.business_id == TENANTS.c.id) for table in tenant_tables()]
    db.execute(delete(TENANTS).where(over, *(~each for each in left)))
