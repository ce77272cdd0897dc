"""What tables there are, and what each column takes: asked of the database's own catalog and of nothing else."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

COLUMNS = text("""
    SELECT n.nspname AS schema, c.relname AS name, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
           a.attnotnull AS required, a.attidentity <> '' OR a.attgenerated <> '' AS made
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|information_schema$)'
    ORDER BY n.nspname, c.relname, a.attnum
""")
CONSTRAINTS = text("""
    SELECT c.conrelid::regclass::text AS name, c.contype::text AS sort, pg_get_expr(c.conbin, c.conrelid) AS says,
           (SELECT array_agg(a.attname::text ORDER BY k.at) FROM unnest(c.conkey) WITH ORDINALITY k(num, at)
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num) AS columns,
           c.confrelid::regclass::text AS target
    FROM pg_constraint c WHERE c.contype IN ('c', 'f') AND c.conparentid = 0
""")


@dataclass(frozen=True)
class Column:
    """One column: its type, and the conditions over it alone."""

    name: str
    type: str
    required: bool
    checks: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        """The words that it may hold, if they are listed."""
        for check in self.checks:
            if listed := re.search(r"= ANY \(ARRAY\[(.*?)\]\)", check):
                return re.findall(r"'([^']*)'", listed[1])
            if one := re.fullmatch(rf"\(?{self.name} = '([^']*)'::text\)?", check):
                return [one[1]]
        return []


@dataclass
class Table:
    """One table; `points` says at which table each column of its own points."""

    name: str
    columns: list[Column] = field(default_factory=list)
    points: dict[str, str] = field(default_factory=dict)

    def __contains__(self, column: str) -> bool:
        return any(each.name == column for each in self.columns)


def tables(db: Connection) -> dict[str, Table]:
    """Return every table by its full name."""
    checks: dict[tuple[str, str], list[str]] = {}
    points: dict[str, dict[str, str]] = {}
    for each in db.execute(CONSTRAINTS):
        if each.sort == "c" and len(each.columns or ()) == 1:
            checks.setdefault((each.name, each.columns[0]), []).append(each.says)
        elif each.sort == "f" and each.columns[-1] != "business_id":
            points.setdefault(each.name, {})[each.columns[-1]] = each.target
    found: dict[str, Table] = {}
    for each in db.execute(COLUMNS):
        name = f"{each.schema}.{each.name}"
        table = found.setdefault(name, Table(name, points=points.get(name, {})))
        if not each.made:
            said = tuple(checks.get((name, each.column), ()))
            table.columns.append(Column(each.column, each.type, each.required, said))
    return found


def parents_first(known: Mapping[str, Table]) -> list[Table]:
    """Sort tables so that what a table points at comes before it."""
    done: dict[str, Table] = {}

    def add(name: str, within: tuple[str, ...]) -> None:
        if name in known and name not in done and name not in within:
            for target in sorted(set(known[name].points.values())):
                add(target, (*within, name))
            done[name] = known[name]

    for name in sorted(known):
        add(name, ())
    return list(done.values())


def leading_to(known: Mapping[str, Table], root: str) -> set[str]:
    """Return the tables from which pointers lead to a table, and itself."""
    found = {root}
    while more := {name for name, table in known.items() if found & set(table.points.values())} - found:
        found |= more
    return found


def hanging_on(db: Connection, known: Mapping[str, Table], roots: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    """Return the ids of all rows from which pointers lead to one of these rows, by table, and those themselves."""
    found = {name: set(map(str, ids)) for name, ids in roots.items()}
    for table in parents_first(known):
        for column, target in table.points.items():
            if target in found and target != table.name and "id" in table:
                asked = text(f"SELECT id::text FROM {table.name} WHERE {column}::text = ANY (:ids)")
                ids = set(db.scalars(asked, {"ids": sorted(found[target])}))
                if ids:
                    found.setdefault(table.name, set()).update(ids)
    return found


def rows_of(db: Connection, known: Mapping[str, Table]) -> Iterator[tuple[str, dict[str, object], str]]:
    """Yield every row of every table: its table, what it is, and its digest."""
    for name in known:
        for row in db.execute(text(f"SELECT to_jsonb(t) AS row, md5(t::text) AS digest FROM {name} t")):
            yield name, row.row, row.digest
