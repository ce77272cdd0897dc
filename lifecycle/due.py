"""Whose rows have reached their end: an SQL function written from the data map, that tells businesses and no more."""

from sqlalchemy import Connection, text

from lifecycle.expire import Expiring, expiring

HOUSE = "00000000-0000-0000-0000-000000000000"


def statements(tables: list[Expiring]) -> list[str]:
    """Return the SQL that lets the house see, of each table, whose a row is and when its time began, and ask."""
    of_tenants = [each for each in tables if each.of_tenants]
    told = []
    for each in of_tenants:
        name = f"{each.table.schema}.{each.table.name}"
        told += [
            f"DROP POLICY IF EXISTS house ON {name}",
            f"CREATE POLICY house ON {name} FOR SELECT TO nexara_house USING (true)",
            f"GRANT SELECT (business_id, {each.since}) ON {name} TO nexara_house",
        ]
    asked = "\n    UNION\n".join(
        f"    SELECT business_id FROM {each.table.schema}.{each.table.name} "
        f"WHERE {each.since} < p_as_of - interval '{int(each.after.total_seconds())} s'"
        for each in of_tenants
    )
    told.append(
        "CREATE OR REPLACE FUNCTION nexara.expired_v1(p_as_of timestamptz) RETURNS SETOF uuid\n"
        "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$\n"
        f"  SELECT business_id FROM (\n{asked}\n  ) ended WHERE (SELECT nexara.scope()) = '{HOUSE}'\n$$"
    )
    told += [
        "ALTER FUNCTION nexara.expired_v1(timestamptz) OWNER TO nexara_house",
        "REVOKE ALL ON FUNCTION nexara.expired_v1(timestamptz) FROM PUBLIC",
        "GRANT EXECUTE ON FUNCTION nexara.expired_v1(timestamptz) TO tenant_job",
    ]
    return told


def apply(db: Connection) -> None:
    """Write the function anew if the map gives it another text; CREATE POLICY waits for readers, so only then."""
    wanted = "\n".join(statements(expiring()))
    known = text("SELECT obj_description(to_regprocedure('nexara.expired_v1(timestamptz)'), 'pg_proc')")
    if db.execute(known).scalar() == wanted:
        return
    for statement in statements(expiring()):
        db.exec_driver_sql(statement)
    quoted = wanted.replace("'", "''")
    db.exec_driver_sql(f"COMMENT ON FUNCTION nexara.expired_v1(timestamptz) IS '{quoted}'")
