"""What the house may count: SQL functions written from the data map, that give out tables, days and numbers."""

# ruff: noqa: S608 - it writes SQL, from names of ours

from collections.abc import Iterator

from sqlalchemy import Table

from lifecycle.ends import Ending, copies, endings, own_links, tenant_tables, throughs
from lifecycle.meant import TENANTS
from lifecycle.over import day_of, over
from models.data_map import TenantSays
from models.indexes import KEEP_UNTIL

HOUSE = "00000000-0000-0000-0000-000000000000"
ROWS = "rows"
"""What is counted where it is no copy; of copies, the store that has them is named."""
FUNCTIONS = {
    "nexara.holdings_v1(uuid)": "tenant_job, nexara_dashboard",
    "nexara.forecast_v1(uuid, timestamptz, timestamptz)": "nexara_dashboard",
    "nexara.house_forecast_v1(timestamptz, timestamptz)": "nexara_dashboard",
}
MAY = (
    # On-call counts every business's; a job its own, or, of the house, every one's.
    f"(current_setting('role') <> 'tenant_job' OR (SELECT nexara.scope()) IN ('{HOUSE}'::uuid, p_business))"
)


def statements() -> Iterator[str]:
    """Yield the SQL of the functions, and who may call them."""
    yield _holdings()
    yield _forecast()
    yield _house_forecast()
    for function, callers in FUNCTIONS.items():
        yield f"ALTER FUNCTION {function} OWNER TO nexara_house"
        yield f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC"
        yield f"GRANT EXECUTE ON FUNCTION {function} TO {callers}"


def _holdings() -> str:
    counts = [_counts(table, f"nexara.{table.name} t, b WHERE t.business_id = b.id") for table in tenant_tables()]
    asked = "\n  UNION ALL\n".join(each for group in counts for each in group)
    return (
        "CREATE OR REPLACE FUNCTION nexara.holdings_v1(p_business uuid)\n"
        "RETURNS TABLE (source text, what text, amount bigint)\n"
        "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$\n"
        f"  WITH b AS MATERIALIZED (SELECT p_business AS id WHERE {MAY})\n"
        f"  SELECT c.source, c.what, c.amount FROM (\n{asked}\n  ) c (source, what, amount) WHERE c.amount > 0\n$$"
    )


def _counts(table: Table, of: str) -> list[str]:
    """Count rows, and copies by store: one look for what a column's name says, one more for each that a row says."""
    columns = copies(table)
    named = [(str(each.info["at"]), each.name) for each in columns if "at" in each.info]
    numbers = ["count(*) AS n"] + [f"count(t.{name}) AS n{place}" for place, (_, name) in enumerate(named)]
    told = [f"('{ROWS}', c.n)"] + [f"('{store}', c.n{place})" for place, (store, _) in enumerate(named)]
    found = [
        (
            f"    SELECT '{table.name}', v.what, v.amount FROM (SELECT {', '.join(numbers)} FROM {of}) c,\n"
            f"      LATERAL (VALUES {', '.join(told)}) v (what, amount)"
        )
    ]
    for each in columns:
        if "at_in" in each.info:
            vendor = each.info["at_in"]
            found.append(
                f"    SELECT '{table.name}', t.{vendor}, count(*) FROM {of} AND t.{each.name} IS NOT NULL"
                f" GROUP BY t.{vendor}"
            )
    return found


def _forecast() -> str:
    aged = {each.table.key: each for each in endings() if each.of_tenants}
    going: list[Table] = []
    steps = []
    for table in tenant_tables():
        ways = [_by_age(aged[table.key])] if table.key in aged else []
        ways += [
            f"      SELECT t.id, p.day FROM going_{parent.name} p JOIN b ON true\n"
            f"      JOIN nexara.{table.name} t ON t.business_id = b.id AND t.{column} = p.id"
            for child, column, parent in throughs()
            if child is table and parent in going
        ]
        if ways:
            going.append(table)
            all_ways = "\n      UNION ALL\n".join(ways)
            steps.append(
                f"  going_{table.name} AS MATERIALIZED (\n"
                f"    SELECT w.id, min(w.day) AS day FROM (\n{all_ways}\n    ) w GROUP BY w.id\n  )"
            )
    asked = "\n  UNION ALL\n".join(each for table in going for each in _daily(table))
    settings = sorted({each.ends.setting for each in aged.values() if isinstance(each.ends, TenantSays)})
    columns = ", ".join(f"b.{name}" for name in ["id", *settings, KEEP_UNTIL])
    with_steps = ",\n".join(steps)
    return (
        "CREATE OR REPLACE FUNCTION nexara.forecast_v1(p_business uuid, p_from timestamptz, p_until timestamptz)\n"
        "RETURNS TABLE (source text, day date, what text, amount bigint)\n"
        "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$\n"
        f"  WITH b AS MATERIALIZED (\n    SELECT {columns} FROM nexara.{TENANTS.name} b\n"
        f"    WHERE b.id = p_business AND {MAY}\n  ),\n{with_steps}\n"
        "  SELECT c.source, greatest(c.day, (p_from AT TIME ZONE 'UTC')::date), c.what, sum(c.amount)::bigint\n"
        f"  FROM (\n{asked}\n  UNION ALL\n"
        f"    SELECT '{TENANTS.name}', b.{KEEP_UNTIL} + 1, '{ROWS}', 1 FROM b\n"
        f"    WHERE b.{KEEP_UNTIL} < (p_until AT TIME ZONE 'UTC')::date\n"
        "  ) c (source, day, what, amount)\n  WHERE c.amount > 0 GROUP BY 1, 2, 3\n$$"
    )


def _by_age(each: Ending) -> str:
    table = each.table
    waits = "".join(
        f"\n        AND NOT EXISTS (SELECT FROM nexara.{table.name} y WHERE y.business_id = t.business_id"
        f" AND y.{name} = t.id AND NOT coalesce({over(each, 'p_until', 'y')}, false))"
        for name in own_links(table)
    )
    return (
        f"      SELECT t.id, {day_of(each)} AS day FROM b JOIN nexara.{table.name} t ON t.business_id = b.id\n"
        f"      WHERE {over(each, 'p_until')}{waits}"
    )


def _daily(table: Table) -> Iterator[str]:
    """Count what goes of a table on each day: rows, and copies by store."""
    columns = copies(table)
    yield f"    SELECT '{table.name}', g.day, '{ROWS}', count(*) FROM going_{table.name} g GROUP BY g.day"
    for each in columns:
        store = f"t.{each.info['at_in']}" if "at_in" in each.info else f"'{each.info['at']}'"
        yield (
            f"    SELECT '{table.name}', g.day, {store}, count(*) FROM going_{table.name} g, b, nexara.{table.name} t\n"
            f"    WHERE t.business_id = b.id AND t.id = g.id AND t.{each.name} IS NOT NULL GROUP BY 2, 3"
        )


def _house_forecast() -> str:
    asked = "\n  UNION ALL\n".join(
        f"    SELECT '{each.table.name}', {day_of(each)}, count(*) FROM nexara.{each.table.name} t\n"
        f"    WHERE {over(each, 'p_until')} GROUP BY 2"
        for each in endings()
        if not each.of_tenants
    )
    return (
        "CREATE OR REPLACE FUNCTION nexara.house_forecast_v1(p_from timestamptz, p_until timestamptz)\n"
        "RETURNS TABLE (source text, day date, what text, amount bigint)\n"
        "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$\n"
        "  SELECT c.source, greatest(c.day, (p_from AT TIME ZONE 'UTC')::date), "
        f"'{ROWS}', sum(c.amount)::bigint\n"
        f"  FROM (\n{asked}\n  ) c (source, day, amount) GROUP BY 1, 2\n$$"
    )
