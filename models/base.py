"""What every table is: a row of one tenant, or a row of the platform; neither imports without its answers."""

from typing import Any, ClassVar

from sqlalchemy import ForeignKey, ForeignKeyConstraint, MetaData, Table, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from models.answers import UnmappedDataError, check_row
from models.data_map import Life, May
from models.indexes import add_checks, add_indexes
from models.kinds import Id

NAMES = {
    "pk": "%(table_name)s_pkey",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
NEW_ID = text("gen_random_uuid()")
NOW = func.now()
ALL_OF_IT = (May.READ, May.ADD, May.CHANGE, May.REMOVE)


class Row(DeclarativeBase):
    """A row that says what it holds, whom it concerns and when it ends, or does not import."""

    metadata = MetaData(schema="nexara", naming_convention=NAMES)

    __life__: ClassVar[Life]
    __because__: ClassVar[str | None] = None
    __visible__: ClassVar[str | None] = None
    __enters__: ClassVar[str | None] = None
    __web__: ClassVar[tuple[May, ...]] = ()
    __job__: ClassVar[tuple[May, ...]] = ()

    def __init_subclass__(cls, because: str | None = None, **more: Any) -> None:
        if because is not None:
            cls.__because__ = because
        super().__init_subclass__(**more)
        table = cls.__dict__.get("__table__")
        if not isinstance(table, Table):
            return
        try:
            check_row(cls, table)
        except UnmappedDataError:
            # A class can be asked only once it is mapped; left in the metadata, it would be migrated.
            cls.metadata.remove(table)
            raise
        add_checks(table)
        add_indexes(table, cls.__life__)


class TenantRow(Row):
    """A row of one business; `nexara.scope()` decides who sees it."""

    __abstract__ = True
    __web__: ClassVar[tuple[May, ...]] = ALL_OF_IT
    __job__: ClassVar[tuple[May, ...]] = ALL_OF_IT

    business_id: Mapped[Id] = mapped_column(ForeignKey("businesses.id"), primary_key=True, sort_order=-2)
    id: Mapped[Id] = mapped_column(primary_key=True, server_default=NEW_ID, sort_order=-1)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        """Let `db.get(Recording, id)` work: ids are unique across businesses."""
        return {"primary_key": ["id"]}


class PlatformRow(Row):
    """A row of no tenant; the class says why.

    `__visible__` is the SQL condition under which a tenant's transaction sees and changes it, `__enters__`
    the one under which it may add it (as `__visible__` unless said); without them no tenant sees or adds it.
    """

    __abstract__ = True


def link(column: str, table: str, *, unlink: bool = False) -> ForeignKeyConstraint:
    """Point at a row of the same business; `unlink` empties the column when that row goes."""
    return ForeignKeyConstraint(
        ["business_id", column],
        [f"{table}.business_id", f"{table}.id"],
        # Without the list, SET NULL would null business_id too.
        ondelete=f"SET NULL ({column})" if unlink else None,
    )
