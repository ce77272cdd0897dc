"""Whom an erasure means: the rows that were frozen when it was confirmed, and nothing that was found out since."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, select
from sqlalchemy.orm import Session

from models.base import Row
from models.data_map import Who
from models.entries import table_of
from models.erasures import ASKED, Decision, Erasure, ErasureScope, Scope

TENANTS: Table = next(iter(table_of(Erasure).c.business_id.foreign_keys)).column.table
"""The table of the businesses."""


@dataclass(frozen=True, slots=True)
class Meant:
    """The ids of what is meant, by table; and the numbers, addresses and sessions that are theirs alone."""

    business_id: UUID
    erasure_id: UUID
    scope: Scope
    ids: Mapping[str, Sequence[UUID]]
    values: Sequence[str]

    def of(self, table: Table) -> Sequence[UUID]:
        """Return the ids that are meant of a table."""
        return self.ids.get(table.name, ())


def meant(db: Session, erasure: Erasure) -> Meant:
    """Read the scope of an erasure."""
    asked = select(ErasureScope.source, ErasureScope.row_id, ErasureScope.value).where(
        ErasureScope.erasure_id == erasure.id,
        ErasureScope.decision == Decision.INCLUDE,
        ErasureScope.source != ASKED,
    )
    ids: defaultdict[str, list[UUID]] = defaultdict(list)
    values = set()
    for source, row_id, value in db.execute(asked.order_by(ErasureScope.source, ErasureScope.row_id)):
        ids[source].append(row_id)
        if value:
            values.add(value)
    return Meant(erasure.business_id, erasure.id, erasure.scope, ids, sorted(values))


def root_of(scope: Scope) -> Table:
    """Return the table that the root of an erasure is a row of."""
    if scope is Scope.BUSINESS:
        return TENANTS
    name = Who.PERSON if scope in (Scope.PERSON, Scope.COMMUNICATIONS) else f"{scope}s"
    return tables()[name]


def tables() -> dict[str, Table]:
    """Return our tables by their names."""
    return {table.name: table for table in Row.metadata.tables.values() if table.schema == Row.metadata.schema}


def of_kind(table: Table, kind: str) -> list[Column[Any]]:
    """Return the columns of a table that are of a kind."""
    return [column for column in table.columns if column.info["kind"] == kind]


def country_of(db: Session, business_id: UUID) -> str:
    """Return the country of a business, ISO 3166."""
    (column,) = of_kind(TENANTS, "Country")
    return str(db.scalar(select(column).where(TENANTS.c.id == business_id)) or "")
