"""Until when a row is kept that a law asks for: the database says, by the business's country and clock."""

from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from lifecycle.meant import TENANTS, Meant
from lifecycle.scrub import KEEP_UNTIL
from models.base import Row
from models.data_map import CountryPeriod
from models.entries import table_of


def until(db: Session, what: Meant, row: type[Row]) -> ColumnElement[date] | None:
    """Return the day from which on a row is not kept any more; None where its table keeps none by a country's period.

    What never began, such as a subscription without an end, is over with its business: it begins now.
    """
    ends, table = row.__life__.ends, table_of(row)
    if KEEP_UNTIL not in table.columns or not isinstance(ends, CountryPeriod):
        return None
    asked = select(TENANTS.c.country, TENANTS.c.zone).where(TENANTS.c.id == what.business_id)
    country, zone = db.execute(asked).one()
    began = func.coalesce(table.c[ends.since], func.now())
    return func.nexara.keep_until_v1(str(ends.because), country, zone, began)
