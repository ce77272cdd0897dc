"""The data map as rows, so that the database can hold itself against it without asking the program."""

from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from models.base import NOW, PlatformRow
from models.data_map import Because, Category, Life, May, Never, NoOne
from models.forms import code
from models.kinds import Count, Country, Digest, EntryName, Flag, MapEntry, Moment

LIFE = Life(
    category=Category.ENGINE,
    links=(NoOne(because="it describes tables, not rows"),),
    after_cancellation=(),
    ends=Never(because="a receipt that names a map must find it"),
    restricted="shown",
)


class Entry(StrEnum):
    """What an entry of the map describes."""

    TABLE = "table"
    COLUMN = "column"
    GUARD = "guard"
    ELSEWHERE = "elsewhere"


class DataMap(PlatformRow, because="the map is the same for every business"):
    """One entry of the map as it holds now: a table, a column, a guard, or a place outside our tables."""

    __tablename__ = "data_map"
    __life__ = LIFE
    __visible__ = "true"

    entry: Mapped[EntryName] = mapped_column(primary_key=True)
    sort: Mapped[Entry] = code(Entry)
    says: Mapped[MapEntry]
    rendered: Mapped[Digest | None]


class DataMapVersion(PlatformRow, because="the map is the same for every business"):
    """A whole map as it once was, by its fingerprint."""

    __tablename__ = "data_map_versions"
    __life__ = LIFE
    __visible__ = "true"

    fingerprint: Mapped[Digest] = mapped_column(primary_key=True)
    body: Mapped[MapEntry]
    since: Mapped[Moment] = mapped_column(server_default=NOW)


class KeepPeriod(PlatformRow, because="a country's law is the same for every business"):
    """For how many years a country wants records of a kind kept, from the year's end, and whether it was looked up."""

    __tablename__ = "keep_periods"
    __life__ = LIFE
    __visible__ = "true"
    __job__ = (May.READ,)

    reason: Mapped[Because] = code(Because, primary_key=True)
    country: Mapped[Country] = mapped_column(primary_key=True)
    years: Mapped[Count]
    looked_up: Mapped[Flag]
