"""By which day after a business's access ended what of it is gone; the database knows them as a function."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

DAY = timedelta(days=1)
PROMISED = 90
"""Days that the policy promises, backups included: those live for 30."""
READ = text("SELECT rows_days, vendors_days, last_days, backups_days FROM nexara.deadlines_v1()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Days after access ended: rows are gone, the last vendor is asked, what is never passed; and backups' life."""

    rows: int = 45
    vendors: int = 50
    last: int = 60
    backups_live: int = 30

    def __post_init__(self) -> None:
        """Refuse an order in which no promise could be kept."""
        if not 1 <= self.rows <= self.vendors <= self.last < PROMISED:
            raise ValueError("rows go first, then vendors' copies, then the last day, all before the policy's 90 days")
        if not 1 <= self.backups_live <= PROMISED - self.last:
            raise ValueError("backups live for a day at least, and no longer than the policy's 90 days leave")

    @property
    def spare(self) -> timedelta:
        """How long vendors may take to delete copies before the rows have to go earlier."""
        return (self.vendors - self.rows) * DAY

    @property
    def backups(self) -> timedelta:
        """How long the longest-lived backup lives."""
        return self.backups_live * DAY


def statements(deadlines: Deadlines) -> list[str]:
    """Return the SQL of the function that tells them."""
    days = f"{deadlines.rows}, {deadlines.vendors}, {deadlines.last}, {deadlines.backups_live}"
    return [
        (
            "CREATE OR REPLACE FUNCTION nexara.deadlines_v1()\n"
            "RETURNS TABLE (rows_days integer, vendors_days integer, last_days integer, backups_days integer)\n"
            f"LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT {days} $$"
        ),
        "ALTER FUNCTION nexara.deadlines_v1() OWNER TO nexara_house",
        "REVOKE ALL ON FUNCTION nexara.deadlines_v1() FROM PUBLIC",
        "GRANT EXECUTE ON FUNCTION nexara.deadlines_v1() TO tenant_job, nexara_worker, nexara_dashboard",
    ]


def read(db: Connection | Session) -> Deadlines:
    """Return them as the last `nexara migrate` told the database."""
    rows, vendors, last, backups = db.execute(READ).one()
    return Deadlines(rows=rows, vendors=vendors, last=last, backups_live=backups)
