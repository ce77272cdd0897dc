"""Who sees which row: row-level security, forced on its owner too, one policy a table."""

from collections.abc import Iterator

from models.base import Row, TenantRow
from models.data_map import Expires
from models.guards.guard import Guard

HOUSE = "(SELECT nexara.scope()) = '00000000-0000-0000-0000-000000000000'::uuid"
MINE = "business_id = (SELECT nexara.scope())"


def table_guards(row: type[Row]) -> Iterator[Guard]:
    """Give the table to the owner that nobody logs in as, under row-level security that binds that owner."""
    table = f"nexara.{row.__tablename__}"
    yield Guard(
        entry=f"table {table}",
        make=(
            f"ALTER TABLE {table} OWNER TO nexara_owner; "
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY; "
            f"REVOKE ALL ON {table} FROM PUBLIC"
        ),
    )
    yield from _policies(row)


def _policies(row: type[Row]) -> Iterator[Guard]:
    if issubclass(row, TenantRow):
        yield _policy(row, "tenancy", using=MINE)
    elif row.__visible__:
        yield _policy(row, "tenancy", using=row.__visible__)
    if row.__enters__:
        yield _policy(row, "enters", does="INSERT", check=row.__enters__)
    if not issubclass(row, TenantRow) and isinstance(row.__life__.ends, Expires):
        # The sweep of what expires is a job of the house; it reads and deletes, and never changes.
        yield _policy(row, "house_reads", does="SELECT", using=HOUSE)
        yield _policy(row, "house_ends", does="DELETE", using=HOUSE)


def _policy(
    row: type[Row], name: str, *, does: str = "ALL", using: str | None = None, check: str | None = None
) -> Guard:
    table = f"nexara.{row.__tablename__}"
    told = [f"CREATE POLICY {name} ON {table} FOR {does}"]
    told += [f"USING ({using})"] if using else []
    told += [f"WITH CHECK ({check})"] if check else []
    drop = f"DROP POLICY IF EXISTS {name} ON {table}"
    return Guard(entry=f"policy {table} {name}", make=f"{drop}; {' '.join(told)}", drop=drop)
