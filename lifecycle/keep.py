"""Until when a row is kept that a law asks for: so many years of the business's country, from the end of the year."""

from datetime import date

from sqlalchemy import ColumnElement, Integer, cast, extract, func, select
from sqlalchemy.orm import Session

from lifecycle.meant import Meant, country_of
from lifecycle.scrub import KEEP_UNTIL
from models.base import Row
from models.data_map import Because, CountryPeriod
from models.entries import table_of
from models.map_rows import KeepPeriod
from models.periods import UNKNOWN_LAW


def until(db: Session, what: Meant, row: type[Row]) -> ColumnElement[date] | None:
    """Return the last day on which a row is kept; None where its table keeps none by a country's period."""
    ends, table = row.__life__.ends, table_of(row)
    if KEEP_UNTIL not in table.columns or not isinstance(ends, CountryPeriod):
        return None
    began = func.timezone("UTC", func.coalesce(table.c[ends.since], func.now()))
    years = years_of(db, ends.because, country_of(db, what.business_id))
    return func.make_date(cast(extract("year", began), Integer) + years, 12, 31)


def years_of(db: Session, because: Because, country: str) -> int:
    """Return for how many years a country wants records of a kind kept.

    For a country that nobody looked up it is the longest that is known: what is deleted too early, nobody can give back.
    """
    periods = {
        country: years
        for country, years in db.execute(select(KeepPeriod.country, KeepPeriod.years).where(KeepPeriod.reason == because))
    }
    return int(periods.get(country, max(periods.values(), default=UNKNOWN_LAW)))
