"""The data map, searchable: what we hold, whom it concerns, what becomes of it, when it ends."""

from dataclasses import dataclass
from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from dashboard.site import site
from models.base import Row
from models.data_map import Category, Holds
from models.elsewhere import PLACES, Place
from models.entries import entries, fingerprint, rows, table_of
from models.words import end, ending, on_erasure, whose


@dataclass(frozen=True, slots=True)
class Field:
    """A column, in words."""

    name: str
    kind: str
    what: str
    personal: bool
    bundles: str


@dataclass(frozen=True, slots=True)
class Told:
    """A table, in words; `text` is what a search looks through."""

    name: str
    what: str
    category: str
    whose: tuple[str, ...]
    on_erasure: tuple[str, ...]
    after_cancellation: tuple[str, ...]
    ends: str
    fields: tuple[Field, ...]
    text: str


def page(request: Request) -> Response:
    """Show the tables and places that a search finds, or all."""
    sought = request.query_params.get("q", "").strip()
    category = request.query_params.get("category", "")
    words = sought.lower().split()
    tables = [
        each
        for each in told()
        if (not category or each.category == category) and all(word in each.text for word in words)
    ]
    places = [
        each
        for each in PLACES
        if (not category or category in each.holds) and all(word in _words(each) for word in words)
    ]
    return site(request).pages.answer(
        request,
        "privacy/map.html",
        tables=tables,
        places=places,
        sought=sought,
        category=category,
        categories=tuple(Category),
        fingerprint=fingerprint(entries()),
        opened=bool(words) and len(tables) <= FEW,
    )


FEW = 3
"""Tables of which a search shows the columns at once."""


@cache
def told() -> tuple[Told, ...]:
    """Return every table of the map, ours first."""
    found = [_table(row) for row in rows()]
    return tuple(sorted(found, key=lambda each: ("." in each.name, each.name)))


def _table(row: type[Row]) -> Told:
    life, table = row.__life__, table_of(row)
    fields = tuple(_field(column.name, column.info["kind"], column.info["holds"]) for column in table.columns)
    links, after = life.links, tuple(ending(each) for each in life.after_cancellation)
    name = table.name if table.schema == Row.metadata.schema else table.fullname
    what = (row.__doc__ or "").strip().partition("\n\n")[0].replace("\n", " ")
    of, erased, ends = tuple(map(whose, links)), tuple(map(on_erasure, links)), end(life.ends)
    parts = [name, what, life.category, ends, *of, *erased, *after]
    parts += [f"{each.name} {each.kind} {each.what} {each.bundles}" for each in fields]
    parts += ["personal"] if any(each.personal for each in fields) else []
    return Told(name, what, life.category, of, erased, after, ends, fields, " ".join(parts).lower())


def _field(name: str, kind: str, holds: Holds) -> Field:
    return Field(name, kind, holds.what, holds.personal, ", ".join(holds.bundles))


def _words(place: Place) -> str:
    return f"{place.name} {place.what} {place.ends} {place.policy or ''} {place.reach} {' '.join(place.holds)}".lower()
