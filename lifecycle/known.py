"""What somebody is known by, as the data map says it: what reaches them, who was merged into them, who else has it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Column, Table, and_, select
from sqlalchemy.orm import Session

from lifecycle.meant import tables
from lifecycle.paths import among, is_identity
from lifecycle.scrub import holds_of
from models.base import Row, TenantRow
from models.data_map import About, Category, Finds, Matching, Who
from models.entries import rows, table_of
from models.forms import CodeOf

REACHES = (Finds.PHONE, Finds.EMAIL, Finds.VALUE)
OWN_LINE = "LineNumber"
"""The kind of column that holds a business's own number: it is nobody's whom the business talks to."""


@dataclass(frozen=True, slots=True)
class Way:
    """A column by which people of one sort are reached, and the column of the same row that says whose it is."""

    table: Table
    value: Column[str]
    human: Column[UUID]


@dataclass(frozen=True, slots=True)
class Known:
    """One number, address or session of a human being, and the row that has it."""

    source: str
    row_id: UUID
    human: UUID
    value: str


def ways(who: Who) -> Iterator[Way]:
    """Yield the columns by which human beings of this sort are reached: their own, not those of what they did."""
    for row in rows():
        links = row.__life__.links
        if issubclass(row, TenantRow) and is_identity(row) and isinstance(links[0], About) and links[0].who is who:
            for column in _reaching(row):
                yield Way(table_of(row), column, table_of(row).c[links[0].column])


def known(db: Session, who: Who, humans: Sequence[UUID]) -> list[Known]:
    """Return all that these are reached by, in their own rows and in those of no tenant that stand for them."""
    found = []
    for way in ways(who):
        asked = select(way.table.c.id, way.human, way.value).where(
            among(way.table, way.human.name, humans), way.value.is_not(None)
        )
        found += [Known(way.table.name, row_id, human, value) for row_id, human, value in db.execute(asked)]
    return found + list(_signing_in(db, who, humans))


def holders(db: Session, who: Who, values: Sequence[str]) -> list[Known]:
    """Return whoever of this sort is reached by one of these values."""
    found = []
    for way in ways(who):
        # The words of a code that stands before the value in its index: so that the index is gone by.
        codes = [
            column.in_([str(word) for word in column.type.words])
            for column in way.table.columns
            if isinstance(column.type, CodeOf) and not column.nullable
        ]
        asked = select(way.table.c.id, way.human, way.value).where(way.value.in_(values), *codes)
        found += [Known(way.table.name, row_id, human, value) for row_id, human, value in db.execute(asked)]
    return found


def merged(db: Session, humans: Sequence[UUID]) -> set[UUID]:
    """Return these people with all whom the business took for the same: who went into them, and into whom they went."""
    found = set(humans)
    while True:
        more = found | {each for ids in _merged(db, sorted(found)) for each in ids}
        if more == found:
            return found
        found = more


def own_lines(db: Session, values: Sequence[str]) -> set[str]:
    """Return those of these numbers that are the business's own."""
    found: set[str] = set()
    for row in rows():
        for column in table_of(row).columns:
            if column.info["kind"] == OWN_LINE and issubclass(row, TenantRow):
                found.update(db.scalars(select(column).where(column.in_(values))))
    return found


def is_customer(db: Session, human: UUID) -> bool:
    """Whether the business keeps somebody among its own data, and not only what they said."""
    for row in rows():
        if row.__life__.category is Category.BUSINESS and issubclass(row, TenantRow):
            for link in row.__life__.links:
                if isinstance(link, About) and link.who is Who.PERSON:
                    table = table_of(row)
                    if db.scalar(select(table.c.id).where(table.c[link.column] == human).limit(1)) is not None:
                        return True
    return False


def _reaching(row: type[Row]) -> list[Column[str]]:
    return [column for column in table_of(row).columns if holds_of(column).find in REACHES]


def _merged(db: Session, humans: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for row in rows():
        table = table_of(row)
        for link in row.__life__.links:
            for column in table.columns:
                if isinstance(link, About) and column.info.get("was") == link.who == Who.PERSON:
                    for asked, told in ((link.column, column.name), (column.name, link.column)):
                        yield db.scalars(select(table.c[told]).where(among(table, asked, humans))).all()


def _signing_in(db: Session, who: Who, humans: Sequence[UUID]) -> Iterator[Known]:
    """Yield what a row of no tenant has, that is found by a column of these."""
    for row in rows():
        for link in row.__life__.links:
            if not isinstance(link, Matching) or not link.finds.startswith(f"{who}."):
                continue
            theirs, mine = table_of(row), tables()[who]
            by = mine.c[link.finds.partition(".")[2]]
            for column in _reaching(row):
                asked = select(theirs.c.id, mine.c.id, column).where(
                    and_(theirs.c[link.column] == by, among(mine, "id", humans))
                )
                for row_id, human, value in db.execute(asked):
                    yield Known(theirs.name, row_id, human, value)
