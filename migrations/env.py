"""Alembic's environment: one connection, handed in by migrations.apply."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from models.base import Row
from models.forms import CodeOf

SCHEMAS = {"nexara", "ledger"}


def named(name: str | None, type_: str, parent_names: object) -> bool:  # noqa: ARG001 - alembic names it
    """Whether alembic may look at this object: ours alone."""
    return name in SCHEMAS if type_ == "schema" else name != "alembic_version"


def rendered(type_: str, thing: Any, autogen_context: Any) -> str | Literal[False]:  # noqa: ARG001 - alembic names it
    """Write our enums' columns as the text they are: a revision must not import models that change."""
    return "sa.Text()" if type_ == "type" and isinstance(thing, CodeOf) else False


connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Row.metadata,
    version_table_schema="nexara",
    include_schemas=True,
    include_name=named,
    render_item=rendered,
    compare_server_default=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
