"""Every row of every table, partition and materialized view of the database, as the catalog has them.

It asks pg_class and never the data map. Every column is read in its text form: what nobody thought of as text, too.
What dropped columns, dead rows and the write-ahead log still hold is not to be had by SQL.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import Connection as Driver
from psycopg import sql
from sqlalchemy import Connection, Engine, text

from lifecycle.audit.canary import texts
from lifecycle.audit.report import Finding, because
from lifecycle.audit.search import Search

CHUNK = 4 * 1024 * 1024
"""Characters that are searched at once."""
CREDENTIALS = ("pg_authid", "pg_subscription", "pg_user_mapping")
"""Passwords and no data, which not every administrator may read."""
STATISTICS = ("pg_statistic", "pg_statistic_ext_data")
"""Read by a probe of their own, through the views that show their values."""
RELATIONS = text("""
    SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'm', 'f') AND NOT starts_with(n.nspname, 'pg_toast')
      AND (NOT starts_with(n.nspname, 'pg_temp') OR n.oid = pg_my_temp_schema())
      AND NOT (n.nspname = 'pg_catalog' AND c.relname = ANY (:left_out))
    GROUP BY n.nspname, c.relname
    ORDER BY n.nspname, c.relname
""")
PLANT = text("""
    INSERT INTO audited (words, listed, told)
    SELECT t, ARRAY[t], jsonb_build_object('a', jsonb_build_array(t)) FROM unnest(CAST(:texts AS text[])) t
""")


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, as the catalog has it."""

    schema: str
    name: str
    columns: Sequence[str]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


class Tables:
    """The probe; `engine` is a role's that sees every row."""

    name = "tables"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def scan(self, search: Search) -> Finding:
        """Read every relation, each in a transaction of its own, so that none is held up for long."""
        with reading(self._engine) as db:
            relations = relations_of(db)
        finding = Finding(self.name, f"{len(relations)} tables and materialized views of all schemas", "rows")
        for relation in relations:
            try:
                with reading(self._engine) as db:
                    _read(db, relation, search, finding)
            except Exception as error:  # noqa: BLE001 - one that cannot be read must not hide the others
                finding.cannot(str(relation), because(error))
        return finding

    def planted(self, search: Search) -> Finding:
        """Plant a table of this transaction's own, with a column of each sort."""
        finding = Finding(self.name, "a table of its own", "rows")
        with reading(self._engine) as db:
            db.execute(text("CREATE TEMP TABLE audited (words text, listed text[], told jsonb) ON COMMIT DROP"))
            db.execute(PLANT, {"texts": texts(search)})
            for relation in relations_of(db):
                if relation.name == "audited" and relation.schema.startswith("pg_temp"):
                    for column in relation.columns:
                        finding.expect(f"{relation}.{column}", search)
                    _read(db, relation, search, finding)
            db.rollback()
        return finding


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a transaction that is refused rather than shown a part of the rows."""
    with engine.connect() as db:
        db.execute(text("SET LOCAL row_security = off"))
        db.execute(text("SET LOCAL statement_timeout = 0"))
        yield db


def relations_of(db: Connection) -> list[Relation]:
    """List what there is to read."""
    found = db.execute(RELATIONS, {"left_out": [*CREDENTIALS, *STATISTICS]})
    return [Relation(row.nspname, row.relname, row.columns) for row in found]


def _read(db: Connection, relation: Relation, search: Search, finding: Finding) -> None:
    for lines in _chunks(db, relation):
        finding.scanned += lines.count("\n")
        if search.find(lines):
            for line in lines.splitlines():
                if search.find(line):
                    for column, cell in zip(relation.columns, line.split("\t"), strict=True):
                        finding.note(f"{relation}.{column}", search.find(cell))


def _chunks(db: Connection, relation: Relation) -> Iterator[str]:
    """Yield whole rows, a line each, columns between tabs; a tab or line's end within one is escaped."""
    driver = db.connection.driver_connection
    assert isinstance(driver, Driver)  # noqa: S101 - a live connection has one
    asked = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(
        sql.SQL(", ").join(map(sql.Identifier, relation.columns)), sql.Identifier(relation.schema, relation.name)
    )
    kept: list[str] = []
    size = 0
    with driver.cursor() as cursor, cursor.copy(asked) as copied:
        for block in copied:
            kept.append(bytes(block).decode("utf-8", "replace"))
            size += len(kept[-1])
            if size >= CHUNK:
                yield "".join(kept)
                kept, size = [], 0
    if kept:
        yield "".join(kept)
