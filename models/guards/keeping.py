"""The triggers that write on each kept row until when its country wants it kept."""

from collections.abc import Iterator

from models.base import Row
from models.data_map import CountryPeriod
from models.guards.guard import Guard
from models.indexes import KEEP_UNTIL


def keep_guards(row: type[Row]) -> Iterator[Guard]:
    """Yield the trigger of a table whose rows stay for a country's period; a day that somebody wrote is corrected."""
    ends = row.__life__.ends
    if not isinstance(ends, CountryPeriod):
        return
    table = f"nexara.{row.__tablename__}"
    yield Guard(
        entry=f"trigger {table} keep",
        make=(
            f"CREATE OR REPLACE TRIGGER keep BEFORE INSERT OR UPDATE OF {ends.since}, {KEEP_UNTIL} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION nexara.keep_until('{ends.since}', '{ends.because}')"
        ),
        drop=f"DROP TRIGGER IF EXISTS keep ON {table}",
    )
