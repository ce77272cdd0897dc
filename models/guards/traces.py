"""The triggers that let no row go silently: what it leaves elsewhere, and whom its text names."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column

from models.base import Row, TenantRow
from models.data_map import Finds, Holds
from models.entries import table_of
from models.guards.guard import Guard


def trace_guards(row: type[Row]) -> Iterator[Guard]:
    """Yield the triggers of a table that has copies elsewhere, or texts."""
    columns = list(table_of(row).columns)
    outside = [column for column in columns if _holds(column).outside]
    texts = [column for column in columns if _holds(column).find is Finds.TEXT]
    if outside:
        if not issubclass(row, TenantRow):
            raise TypeError(f"{row.__name__} is of no tenant and has copies elsewhere: nobody would follow them up")
        yield _trigger(row, "remains", "UPDATE OF {} OR DELETE", outside, [_argument(each) for each in outside])
    if texts and issubclass(row, TenantRow):
        told = [column.name for column in texts]
        yield _trigger(row, "mentions", "INSERT OR UPDATE OF {} OR DELETE", texts, told)


def _trigger(row: type[Row], name: str, when: str, columns: list[Column[Any]], arguments: list[str]) -> Guard:
    table = f"nexara.{row.__tablename__}"
    listed = ", ".join(f'"{column.name}"' for column in columns)
    told = ", ".join(f"'{argument}'" for argument in arguments)
    return Guard(
        entry=f"trigger {table} {name}",
        make=(
            f"CREATE OR REPLACE TRIGGER {name} AFTER {when.format(listed)} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION nexara.leave_{name}({told})"
        ),
        drop=f"DROP TRIGGER IF EXISTS {name} ON {table}",
    )


def _argument(column: Column[Any]) -> str:
    """Say column, store and what it is there; `=vendor` means that the column `vendor` names the store.

    A token that another one takes the place of is no access less: `only_emptied`, the fourth word, says so.
    """
    info = column.info
    store = f"={info['at_in']}" if "at_in" in info else info["at"]
    return f"{column.name} {store} {info['what']}" + (" only_emptied" if _holds(column).secret else "")


def _holds(column: Column[Any]) -> Holds:
    holds: Holds = column.info["holds"]
    return holds
