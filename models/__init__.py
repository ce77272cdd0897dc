"""The tables, and on each table and column what it holds, whom it concerns and what becomes of it.

Importing this imports every table: `Row.metadata` is whole, which is where migrations and guards start.
"""

from sqlalchemy.orm import configure_mappers

from models import (
    accounts,
    activity,
    audit,
    batches,
    billing,
    bookings,
    calls,
    connections,
    conversations,
    erasures,
    keys,
    knowledge,
    leads,
    ledger,
    limits,
    mail,
    map_rows,
    money,
    operations,
    operators,
    pace,
    pauses,
    people,
    recordings,
    technical,
    tombstones,
    traces,
)
from models.base import Row

__all__ = [
    "Row",
    "accounts",
    "activity",
    "audit",
    "batches",
    "billing",
    "bookings",
    "calls",
    "connections",
    "conversations",
    "erasures",
    "keys",
    "knowledge",
    "leads",
    "ledger",
    "limits",
    "mail",
    "map_rows",
    "money",
    "operations",
    "operators",
    "pace",
    "pauses",
    "people",
    "recordings",
    "technical",
    "tombstones",
    "traces",
]

configure_mappers()
