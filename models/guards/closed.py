"""Which keys a JSON column may have: its CHECK, guarded as a policy is, since what loosens it lets anything in."""

from collections.abc import Iterator

from sqlalchemy import JSON, CheckConstraint

from models.base import Row
from models.entries import table_of
from models.guards.guard import Guard


def closed_guards(row: type[Row]) -> Iterator[Guard]:
    """Yield the CHECK of each JSON column that has one."""
    table = table_of(row)
    checks = {str(each.name): each for each in table.constraints if isinstance(each, CheckConstraint)}
    for column in table.columns:
        name = f"ck_{table.name}_{column.name}"
        if isinstance(column.type, JSON) and name in checks:
            where = f"ALTER TABLE {table.fullname}"
            yield Guard(
                entry=f"check {table.fullname} {name}",
                make=f"{where} DROP CONSTRAINT IF EXISTS {name}; "
                f"{where} ADD CONSTRAINT {name} CHECK ({checks[name].sqltext})",
            )
