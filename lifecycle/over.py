"""When a row's time is over, in SQL: for functions that are written from the data map."""

from lifecycle.ends import Ending
from models.data_map import CountryPeriod, Expires, TenantSays


def over(each: Ending, as_of: str, row: str = "t") -> str:
    """Say in SQL that a row's time is over; the row's business is `b`."""
    match each.ends:
        case Expires(after=after):
            return f"{row}.{each.column} < {as_of} - interval '{int(after.total_seconds())} s'"
        case TenantSays(setting=setting):
            return f"{row}.{each.column} < {as_of} - b.{setting}"
        case CountryPeriod():
            return f"{row}.{each.column} < ({as_of} AT TIME ZONE 'UTC')::date"


def day_of(each: Ending, row: str = "t") -> str:
    """Say in SQL on which day a row's time is over."""
    match each.ends:
        case Expires(after=after):
            return f"(({row}.{each.column} + interval '{int(after.total_seconds())} s') AT TIME ZONE 'UTC')::date"
        case TenantSays(setting=setting):
            return f"(({row}.{each.column} + b.{setting}) AT TIME ZONE 'UTC')::date"
        case CountryPeriod():
            return f"{row}.{each.column} + 1"
