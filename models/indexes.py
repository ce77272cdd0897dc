"""What each table gets without asking: a CHECK per kind that has one, an index per foreign key, match and age."""

import re

from sqlalchemy import JSON, CheckConstraint, Index, PrimaryKeyConstraint, Table, UniqueConstraint

from models.data_map import CountryPeriod, Expires, Finds, Holds, Life, Matching, TenantSays

KEEP_UNTIL = "keep_until"
"""The column that holds when a country's period is over."""


def add_checks(table: Table) -> None:
    """Give each column the CHECK of its kind."""
    for column in table.columns:
        holds: Holds = column.info["holds"]
        if holds.check:
            told = re.sub(r"\bVALUE\b", column.name, holds.check)
            table.append_constraint(CheckConstraint(told, name=column.name))
        if vendor := column.info.get("at_in"):
            told = f"{column.name} IS NULL OR {vendor} IS NOT NULL"
            table.append_constraint(CheckConstraint(told, name=f"{column.name}_{vendor}"))


def add_indexes(table: Table, life: Life) -> None:
    """Give each foreign key, match and age an index that begins with its columns, unless one does already."""
    wanted = sorted(list(constraint.column_keys) for constraint in table.foreign_key_constraints)
    tenant = ["business_id"] if "business_id" in table.primary_key.columns else []
    for match in life.links:
        # A whole text or object is never looked up as a whole, and may be too long for a btree.
        if isinstance(match, Matching) and match.finds is not Finds.TEXT and not _is_json(table, match):
            wanted.append([*tenant, match.column])
    # What has reached its end is found by its age, one business at a time; the ledger has its own ways.
    aged = aged_by(life) if table.schema == table.metadata.schema else None
    if aged:
        wanted.append([*tenant, aged])
    for columns in wanted:
        if not any(set(have[: len(columns)]) == set(columns) for have in indexed(table)):
            # Naming the table's columns adds it to the table.
            Index(None, *(table.columns[name] for name in columns))


def aged_by(life: Life) -> str | None:
    """Return the column that says when a row ends by itself; None for what ends otherwise."""
    if isinstance(life.ends, CountryPeriod):
        return KEEP_UNTIL
    return life.ends.since if isinstance(life.ends, Expires | TenantSays) else None


def _is_json(table: Table, match: Matching) -> bool:
    return isinstance(table.columns[match.column].type, JSON)


def indexed(table: Table) -> list[list[str]]:
    """List the columns of each index that is over all rows."""
    kept = PrimaryKeyConstraint | UniqueConstraint
    found = [list(each.columns.keys()) for each in table.constraints if isinstance(each, kept)]
    whole = [each for each in table.indexes if each.dialect_options["postgresql"]["where"] is None]
    return found + [list(each.columns.keys()) for each in whole]
