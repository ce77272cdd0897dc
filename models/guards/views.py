"""The views in `live`: the only way in which workers and the web tier reach a table."""

from collections.abc import Iterator

from models.base import Row
from models.data_map import May
from models.guards.guard import Guard


def view_guards(row: type[Row]) -> Iterator[Guard]:
    """Show the table in `live`, as its owner sees it, to the roles that may do something with it."""
    allowed = {"nexara_web": row.__web__, "tenant_job": row.__job__}
    if not any(allowed.values()):
        return
    name = row.__tablename__
    # Named one by one: a star would be frozen at the columns of that day and say something else than the map.
    columns = ", ".join(f'"{column.name}"' for column in row.__table__.columns)
    told = [
        f"DROP VIEW IF EXISTS live.{name}",
        f"CREATE VIEW live.{name} AS SELECT {columns} FROM nexara.{name}",  # noqa: S608 - our own names
        f"ALTER VIEW live.{name} OWNER TO nexara_owner",
        f"REVOKE ALL ON live.{name} FROM PUBLIC",
    ]
    told += [f"GRANT {_list(rights)} ON live.{name} TO {role}" for role, rights in allowed.items() if rights]
    yield Guard(entry=f"view live.{name}", make="; ".join(told), drop=f"DROP VIEW IF EXISTS live.{name}")


def _list(rights: tuple[May, ...]) -> str:
    return ", ".join(str(right) for right in rights)
