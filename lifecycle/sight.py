"""What the house may see of the tenants' tables, so that its functions can count: ids, times, whether there is a copy.

Its functions give out businesses, names of tables, days and counts. The ids of vendors' copies it may see, since who
counts them asks whether one is there; none of its functions returns one.
"""

from collections.abc import Iterator

from sqlalchemy import Table

from lifecycle.ends import copies, endings, own_links, tenant_tables, throughs
from lifecycle.meant import TENANTS
from models.data_map import TenantSays

ENDS = ("ended_at", "erasing_at", "erased_at", "keep_until", "country")


def statements() -> Iterator[str]:
    """Yield the SQL that lets the house see so much and no more."""
    for table, columns in seen():
        name = f"{table.schema}.{table.name}"
        yield f"DROP POLICY IF EXISTS house ON {name}"
        yield f"CREATE POLICY house ON {name} FOR SELECT TO nexara_house USING (true)"
        yield f"GRANT SELECT ({', '.join(columns)}) ON {name} TO nexara_house"


def seen() -> Iterator[tuple[Table, list[str]]]:
    """Yield each table that the house counts, with the columns that it needs for it."""
    aged = {each.table.key: each.column for each in endings()}
    for table in tenant_tables():
        told = ["business_id", "id"]
        for column in copies(table):
            told += [column.name] + ([column.info["at_in"]] if "at_in" in column.info else [])
        told += [aged[table.key]] if table.key in aged else []
        told += [column for child, column, _ in throughs() if child is table]
        told += own_links(table) if table.key in aged else []
        yield table, list(dict.fromkeys(told))
    for each in endings():
        if not each.of_tenants:
            yield each.table, [each.column]
    settings = sorted({each.ends.setting for each in endings() if isinstance(each.ends, TenantSays)})
    yield TENANTS, ["id", *settings, *(name for name in ENDS if name in TENANTS.columns)]
