"""Two businesses, people in them with a row in every table that concerns people, and erasures as a job runs them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import Session

from lifecycle.erase import erase
from lifecycle.progress import Progress
from lifecycle.redact import redact
from lifecycle.resolve import confirm, resolve
from models.base import Row
from models.data_map import About, Category, Through, Who
from models.entries import table_of
from models.erasures import Erasure, ErasureState, Origin, Scope
from tests.models.conftest import become_job
from tests.rows import plant, tenant_rows, values

Key = tuple[str, UUID]
Rows = dict[str, dict[str, Any]]
OURS = {table.name: table for table in Row.metadata.tables.values() if table.schema == Row.metadata.schema}
TOGETHER = sorted(name for name, table in OURS.items() if "id" in table.columns)
NOTED = {"remains", "erasures", "erasure_scope", "reviews", "mentions"}
"""What an erasure writes itself, and what follows from texts."""


@dataclass
class World:
    """What is planted, and what may be done about it."""

    admin: Engine
    live: Engine
    mine: UUID = field(default_factory=uuid4)
    theirs: UUID = field(default_factory=uuid4)
    base: dict[UUID, Rows] = field(default_factory=dict)

    def found(self) -> "World":
        """Plant two businesses, each with one row of everything."""
        with self.admin.begin() as db:
            for business in (self.mine, self.theirs):
                self.base[business] = plant(db, business)
        return self

    def person(self, business: UUID | None = None, **more: Mapping[str, Any]) -> Rows:
        """Plant a person with one row in each table that concerns people; `more` sets columns, by table."""
        business = business or self.mine
        planted: Rows = dict(self.base[business])
        own: Rows = {}
        with self.admin.begin() as db:
            for name in of_people():
                planted[name] = own[name] = values(OURS[name], planted) | {"business_id": business} | more.get(name, {})
                db.execute(insert(OURS[name]).values(own[name]))
        return own

    def put(self, table: str, **told: Any) -> UUID:
        """Add a row to a table of the first business, what is not said taken from its planted rows."""
        row = values(OURS[table], self.base[self.mine]) | {"business_id": self.mine} | told
        with self.admin.begin() as db:
            db.execute(insert(OURS[table]).values(row))
        return row["id"]  # type: ignore[no-any-return]

    def change(self, table: str, row_id: UUID, **told: Any) -> None:
        """Change a row, as an administrator."""
        with self.admin.begin() as db:
            db.execute(OURS[table].update().where(OURS[table].c.id == row_id).values(told))

    def rows(self) -> dict[Key, str]:
        """Return every row of every table of ours, as text, by table and id."""
        found: dict[Key, str] = {}
        with self.admin.connect() as db:
            for name in TOGETHER:
                for row_id, told in db.execute(text(f"SELECT id, t::text FROM nexara.{name} t")):
                    found[name, row_id] = told
        return found

    def one(self, table: str, row_id: UUID) -> Any:
        """Return a row, or None."""
        with self.admin.connect() as db:
            return db.execute(OURS[table].select().where(OURS[table].c.id == row_id)).one_or_none()

    def sql(self, statement: str, **told: Any) -> Any:
        """Run a statement as an administrator; returns its only value."""
        with self.admin.begin() as db:
            done = db.execute(text(statement), told)
            return done.scalar() if done.returns_rows else None

    @contextmanager
    def job(self, business: UUID | None = None, *, keep: bool = True) -> Iterator[Session]:
        """Give the transaction of a job of a business, as tenant_job and through `live`; or one that dies at last."""
        with self.live.connect() as connection:
            become_job(connection, business or self.mine)
            with Session(connection) as db:
                yield db
                db.commit()  # the session's part in it alone
            if keep:
                connection.commit()
            else:
                connection.rollback()

    def asked(
        self,
        scope: Scope,
        root: UUID | None = None,
        *,
        identifiers: Sequence[str] = (),
        business: UUID | None = None,
        origin: Origin = Origin.REQUEST,
    ) -> UUID:
        """Ask for an erasure and resolve it."""
        business = business or self.mine
        with self.job(business) as db:
            erasure = Erasure(business_id=business, id=uuid4(), scope=scope, root_id=root, origin=origin)
            db.add(erasure)
            db.flush()
            resolve(db, erasure, identifiers)
            return erasure.id

    def confirmed(self, scope: Scope, root: UUID | None = None, **more: Any) -> UUID:
        """Ask for an erasure that is beyond doubt, and begin it."""
        erasure_id = self.asked(scope, root, **more)
        self.begin(erasure_id, more.get("business"))
        return erasure_id

    def begin(self, erasure_id: UUID, business: UUID | None = None) -> None:
        """Confirm an erasure, and let it begin."""
        with self.job(business) as db:
            erasure = db.get_one(Erasure, erasure_id)
            confirm(db, erasure, None)
            erasure.state = ErasureState.ERASING

    def batch(self, erasure_id: UUID, size: int, business: UUID | None = None, *, keep: bool = True) -> Progress:
        """Erase one batch."""
        with self.job(business, keep=keep) as db:
            db.execute(text("SELECT set_config('nexara.erasure', :id, true)"), {"id": str(erasure_id)})
            return erase(db, db.get_one(Erasure, erasure_id), batch=size)

    def erase(self, erasure_id: UUID, *, batch: int = 500, business: UUID | None = None) -> Progress:
        """Erase to the end and redact, each batch once in a transaction that dies before the one that is kept."""
        whole = Progress(more=True)
        while whole.more:
            self.batch(erasure_id, batch, business, keep=False)
            each = self.batch(erasure_id, batch, business)
            assert all(count <= batch for count in (each.rows + each.changed).values())
            whole = Progress(
                more=each.more,
                rows=whole.rows + each.rows,
                changed=whole.changed + each.changed,
                derived=[*whole.derived, *each.derived],
            )
        more = True
        while more:
            with self.job(business, keep=False) as db:
                redact(db, db.get_one(Erasure, erasure_id), batch=batch)
            with self.job(business) as db:
                more = redact(db, db.get_one(Erasure, erasure_id), batch=batch)
        return whole


def of_people() -> list[str]:
    """List the tables that concern people, by a link or through a parent, parents first; the engine's own left out."""
    about: set[str] = set()
    for table in Row.metadata.sorted_tables:
        for row in tenant_rows():
            if table_of(row) is table and row.__life__.category is not Category.ENGINE:
                for link in row.__life__.links:
                    of_person = isinstance(link, About) and link.who is Who.PERSON
                    targets = {
                        key.column.table.name
                        for key in (table.columns[link.column].foreign_keys if isinstance(link, Through) else ())
                    }
                    if of_person or targets & about:
                        about.add(table.name)
    return [table.name for table in Row.metadata.sorted_tables if table.name in about and table in OURS.values()]


def keys(rows: Rows) -> set[Key]:
    """Return the tables and ids of planted rows."""
    return {(name, row["id"]) for name, row in rows.items()}


def changed(before: Mapping[Key, str], after: Mapping[Key, str]) -> set[Key]:
    """Return which rows are not what they were, or gone, or new; without what an erasure writes itself."""
    return {key for key in before.keys() | after.keys() if key[0] not in NOTED and before.get(key) != after.get(key)}
