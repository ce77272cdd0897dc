"""The planner keeps no value of a person and no text: what it had sampled would outlive its row until an ANALYZE.

Without statistics a column is taken to have two hundred values. What is looked for by its value is looked for by an
index all the same; what statistics would have told of texts and names no query asks.
"""

from collections.abc import Iterator

from models.base import Row
from models.data_map import Finds, Holds, Scrubs
from models.entries import table_of
from models.guards.guard import Guard


def memory_guards(row: type[Row]) -> Iterator[Guard]:
    """Yield what keeps the personal columns of a table out of the statistics."""
    table = f"nexara.{row.__tablename__}"
    columns = [column for column in table_of(row).columns if _holds(column.info["holds"])]
    if not columns:
        return
    told = ", ".join(f'ALTER "{column.name}" SET STATISTICS 0' for column in columns)
    yield Guard(entry=f"statistics {table}", make=f"ALTER TABLE {table} {told}", drop=_remembered(table))


def _holds(holds: Holds) -> bool:
    # A text of the business's own may name anybody; and what scrubbing empties is not to be read there afterwards.
    return holds.personal or holds.secret or holds.find is Finds.TEXT or holds.scrub is not Scrubs.KEEP


def _remembered(table: str) -> str:
    return f"""
        DO $$
        DECLARE
          name text;
        BEGIN
          FOR name IN SELECT attname FROM pg_attribute
                      WHERE attrelid = to_regclass('{table}') AND attstattarget = 0 LOOP
            EXECUTE format('ALTER TABLE {table} ALTER %I SET STATISTICS -1', name);
          END LOOP;
        END $$"""  # noqa: S608 - the name of a table of ours
