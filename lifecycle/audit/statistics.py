"""What the planner remembers of values, until the next ANALYZE: the commonest ones, and the bounds of histograms.

And what the server still has of statements: those that run, and those that pg_stat_statements keeps if it is installed.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, Engine, text

from lifecycle.audit.canary import texts
from lifecycle.audit.report import Finding, because
from lifecycle.audit.search import Search
from lifecycle.audit.tables import reading

OF_COLUMNS = """
    SELECT format('statistics of %s.%s.%s', schemaname, tablename, attname) AS place,
           concat_ws(' ', most_common_vals::text, histogram_bounds::text, most_common_elems::text) AS said
    FROM pg_stats
"""
VIEWS = {
    "pg_stats": OF_COLUMNS,
    "pg_stats_ext": """
        SELECT format('statistics of %s.%s', statistics_schemaname, statistics_name), most_common_vals::text
        FROM pg_stats_ext
    """,
    "pg_stats_ext_exprs": """
        SELECT format('statistics of %s.%s', statistics_schemaname, statistics_name),
               concat_ws(' ', most_common_vals::text, histogram_bounds::text, most_common_elems::text)
        FROM pg_stats_ext_exprs
    """,
    "pg_stat_activity": """
        SELECT 'statements that run', query FROM pg_stat_activity WHERE pid <> pg_backend_pid()
    """,
}
# The view hides what the role may not read, and of tables under row-level security everything from whom that binds.
MAY = text("""
    SELECT rolsuper OR (rolbypassrls AND pg_has_role('pg_read_all_data', 'USAGE')
                        AND pg_has_role('pg_read_all_stats', 'USAGE'))
    FROM pg_roles WHERE rolname = current_user
""")
KEPT_STATEMENTS = text("""
    SELECT format('SELECT ''pg_stat_statements'', query FROM %I.pg_stat_statements', n.nspname)
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'
""")


class Statistics:
    """The probe; `engine` is a role's that sees every row: the statistics of others are hidden as they are."""

    name = "statistics"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def scan(self, search: Search) -> Finding:
        """Read every value that is remembered."""
        finding = Finding(self.name, "statistics of all columns, and what is remembered of statements", "entries")
        asked = dict(VIEWS)
        with reading(self._engine) as db:
            if not db.scalar(MAY):
                finding.cannot("pg_stats", "the role may not read all statistics")
            if statements := db.scalar(KEPT_STATEMENTS):
                asked["pg_stat_statements"] = statements
        for view, statement in asked.items():
            try:
                with reading(self._engine) as db:
                    _weigh(_values(db, statement), search, finding)
            except Exception as error:  # noqa: BLE001 - one that cannot be read must not hide the others
                finding.cannot(view, because(error))
        return finding

    def planted(self, search: Search) -> Finding:
        """Plant a table of this transaction's own: of values that are common, and of values for a histogram."""
        finding = Finding(self.name, "a table of its own", "columns")
        told = texts(search)
        with reading(self._engine) as db:
            db.execute(text("CREATE TEMP TABLE audited (common text, spread text) ON COMMIT DROP"))
            # A histogram is of what is not among the commonest, and has as many bounds as the target says.
            db.execute(text("ALTER TABLE audited ALTER common SET STATISTICS 10000, ALTER spread SET STATISTICS 10000"))
            fill = "INSERT INTO audited SELECT CASE WHEN n < 3 THEN t END, CASE n WHEN 3 THEN t END"
            db.execute(
                text(f"{fill} FROM unnest(CAST(:texts AS text[])) t, generate_series(1, 3) n"),
                {"texts": told},
            )
            db.execute(text("ANALYZE audited"))
            for place, said in _values(db, f"{OF_COLUMNS} WHERE tablename = 'audited' AND schemaname LIKE 'pg_temp%'"):
                finding.expect(place, search)
                _weigh([(place, said)], search, finding)
            db.rollback()
        return finding


def _values(db: Connection, statement: str) -> Iterator[tuple[str, str | None]]:
    """Yield what is remembered, by its place."""
    for row in db.execute(text(statement), execution_options={"yield_per": 500}):
        yield row[0], row[1]


def _weigh(values: Iterable[tuple[str, str | None]], search: Search, finding: Finding) -> None:
    for place, said in values:
        finding.scanned += 1
        if said:
            finding.note(place, search.find(said))
