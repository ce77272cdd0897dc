"""Whose rows have reached their end: SQL written from the data map, that tells businesses, tables and counts."""

import hashlib
from collections.abc import Iterator

from sqlalchemy import Connection, text

from lifecycle import counted, deadlines, sight
from lifecycle.deadlines import Deadlines
from lifecycle.ends import endings
from lifecycle.meant import TENANTS
from lifecycle.over import over
from models.indexes import KEEP_UNTIL

HOUSE = "00000000-0000-0000-0000-000000000000"
MADE_FROM = text("SELECT obj_description(to_regprocedure('nexara.expired_v1(timestamptz)'), 'pg_proc')")


def statements(days: Deadlines) -> Iterator[str]:
    """Yield the SQL that lets the house see of each table whose a row is and when its time is over, and ask."""
    yield from sight.statements()
    yield from deadlines.statements(days)
    yield expired()
    yield "ALTER FUNCTION nexara.expired_v1(timestamptz) OWNER TO nexara_house"
    yield "REVOKE ALL ON FUNCTION nexara.expired_v1(timestamptz) FROM PUBLIC"
    yield "GRANT EXECUTE ON FUNCTION nexara.expired_v1(timestamptz) TO tenant_job"
    yield from counted.statements()


def expired() -> str:
    """Return the function that tells which businesses have a row whose time is over.

    It goes from business to business and asks each table's index for the oldest row: what it reads grows with the
    businesses, not with their rows. OFFSET 0 keeps the planner from reading a whole table into a hash instead.
    """
    asked = [
        f"EXISTS (SELECT FROM {each.table.schema}.{each.table.name} t\n"
        f"             WHERE t.business_id = b.id AND {over(each, 'p_as_of')} OFFSET 0)"
        for each in endings()
        if each.of_tenants
    ]
    asked.append(f"b.{KEEP_UNTIL} < (p_as_of AT TIME ZONE 'UTC')::date")
    anything = "\n    OR ".join(asked)
    return (
        "CREATE OR REPLACE FUNCTION nexara.expired_v1(p_as_of timestamptz) RETURNS SETOF uuid\n"
        "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$\n"
        f"  SELECT b.id FROM {TENANTS.schema}.{TENANTS.name} b\n"
        f"  WHERE (SELECT nexara.scope()) = '{HOUSE}' AND (\n    {anything})\n$$"
    )


def apply(db: Connection, days: Deadlines | None = None) -> None:
    """Write the functions anew if the map or the days give them another text; without days they stay as they are.

    CREATE POLICY waits for readers, so only then.
    """
    if days is None:
        told = db.scalar(text("SELECT to_regprocedure('nexara.deadlines_v1()') IS NOT NULL"))
        days = deadlines.read(db) if told else Deadlines()
    wanted = list(statements(days))
    digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()
    if db.execute(MADE_FROM).scalar() == digest:
        return
    for statement in wanted:
        db.exec_driver_sql(statement)
    db.exec_driver_sql(f"COMMENT ON FUNCTION nexara.expired_v1(timestamptz) IS '{digest}'")
