"""The triggers that let nothing erased come back, whoever writes it."""

from collections.abc import Iterator

from models.arriving import event_keys, vendor_of, vendor_refs
from models.base import Row
from models.guards.guard import Guard


def arrival_guards(row: type[Row]) -> Iterator[Guard]:
    """Yield the trigger of a table whose rows tell what a vendor sent."""
    keys, refs = list(event_keys(row)), list(vendor_refs(row))
    if not keys and not refs:
        return
    table = f"nexara.{row.__tablename__}"
    listed = ", ".join(f'"{column.name}"' for column in (*keys, *refs))
    told = [*(column.name for column in keys), *(f"{column.name} {vendor_of(column)}" for column in refs)]
    arguments = ", ".join(f"'{argument}'" for argument in told)
    yield Guard(
        entry=f"trigger {table} arrivals",
        make=(
            f"CREATE OR REPLACE TRIGGER arrivals BEFORE INSERT OR UPDATE OF {listed} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION nexara.refuse_erased({arguments})"
        ),
        drop=f"DROP TRIGGER IF EXISTS arrivals ON {table}",
    )
