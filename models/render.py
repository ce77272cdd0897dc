"""Writes docs/data-map.md from the data map; with --check, says whether it is as the map would have it."""

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Column

import models
from models.base import Row, TenantRow
from models.contracts import Contract
from models.data_map import Holds, Scrubs
from models.elsewhere import SCHEMAS, STORES, VENDORS, Place
from models.entries import entries, fingerprint, rows, table_of
from models.words import days, end, ending, on_erasure, whose

PAGE = Path(__file__).resolve().parent.parent / "docs" / "data-map.md"

HEAD = """\
# The data map

Made from `models/` by `python -m models.render`; change it there. Fingerprint of this map: `{fingerprint}`.

What we hold, whom it concerns, what becomes of it when that person is erased, when the business leaves, and when time
alone ends it. Spans are proposals (`models/periods.py`), not law: ask counsel. Where a row names a copy in a store or
at a vendor, the end of the row writes that copy down in `remains`, to be deleted there and read back.

- **on erasure**: what becomes of the row when the person, member or employee in that column is erased.
- **after cancellation**: what becomes of it when the business has left.
- **ends**: when it ends though nobody asks.
- **bundles**: the exports a column goes into: the business's, the person's, the portable one of what they provided.
"""
SCRUBBED = {
    Scrubs.KEEP: "stays",
    Scrubs.NULL: "emptied",
    Scrubs.TOKEN: "replaced by a word",
    Scrubs.OBJECT: "object deleted, emptied",
    Scrubs.VENDOR: "copy deleted there, emptied",
}


def page() -> str:
    """Return the whole page."""
    parts = [HEAD.format(fingerprint=fingerprint(entries()))]
    by_area = sorted(rows(), key=lambda row: (row.__module__, table_of(row).name))
    for module, area in groupby(by_area, key=lambda row: row.__module__):
        parts.append("\n".join(_area(module, list(area))))
    parts.append("\n".join(_places("Stores, logs and mail", STORES)))
    parts.append("\n".join(_places("Other schemas of the database", SCHEMAS)))
    parts.append("\n".join(_places("Vendors", VENDORS)))
    return "\n".join(parts)


def _area(module: str, area: list[type[Row]]) -> Iterator[str]:
    yield f"## {module.rpartition('.')[2].replace('_', ' ').capitalize()}\n"
    yield f"{_first(sys.modules[module].__doc__)}\n"
    yield "| table | what | category | whose | on erasure | after cancellation | ends |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for row in area:
        life = row.__life__
        what = _first(row.__doc__) + (f" Of no tenant: {row.__because__}." if not issubclass(row, TenantRow) else "")
        yield _line(
            f"**{_name(row)}**",
            what,
            life.category,
            "; ".join(whose(each) for each in life.links),
            "; ".join(on_erasure(each) for each in life.links),
            "; ".join(ending(each) for each in life.after_cancellation) or "none: it is of no business",
            end(life.ends),
        )
    yield ""
    for row in area:
        yield from _columns(row)


def _columns(row: type[Row]) -> Iterator[str]:
    yield f"<details><summary>columns of {_name(row)}</summary>\n"
    yield "| column | holds | personal | when scrubbed | bundles | correctable |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for column in table_of(row).columns:
        holds: Holds = column.info["holds"]
        yield _line(
            f"`{column.name}`",
            _what(column),
            ("of " + column.info["of"] if "of" in column.info else "yes") if holds.personal else "",
            SCRUBBED[holds.scrub],
            ", ".join(holds.bundles) or "none",
            "yes" if holds.correct else "",
        )
    yield "\n</details>\n"


def _what(column: Column[Any]) -> str:
    told = str(column.info["holds"].what)
    targets = sorted({key.column.table.name for key in column.foreign_keys})
    if targets:
        told = f"which of {', '.join(targets)}"
    if "at" in column.info:
        told += f" ({column.info['at']}: {column.info['what']})"
    if "at_in" in column.info:
        told += f" (at its `{column.info['at_in']}`: {column.info['what']})"
    if "was" in column.info:
        told = f"which of {column.info['was']} it once was"
    if "made_from" in column.info:
        told += f"; goes with the {column.info['made_from']} it was made from"
    return told


def _places(title: str, places: tuple[Place, ...]) -> Iterator[str]:
    yield f"## {title}\n"
    yield (
        "| place | what | holds | in section 4 of the policy | how far our deletion reaches | ends | proof "
        "| within | contract |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for place in places:
        yield _line(
            f"**{place.name}**",
            place.what,
            ", ".join(place.holds) or "nothing personal",
            place.policy or "no",
            place.reach,
            place.ends,
            place.proof or "none",
            days(place.lapses_within) if place.lapses_within else "",
            _contract(place.contract),
        )
    yield ""


def _contract(contract: Contract | None) -> str:
    if contract is None:
        return ""
    stands = f"signed {contract.signed}, {contract.reference}" if contract.signed else "not yet filled in by counsel"
    return f"{contract.name}, as of {contract.as_of} ({stands})"


def _name(row: type[Row]) -> str:
    table = table_of(row)
    return table.name if table.schema == models.Row.metadata.schema else table.fullname


def _first(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n\n")[0].replace("\n", " ")


def _line(*cells: str) -> str:
    # A bar within a cell would end it.
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"


def main(arguments: list[str], at: Path = PAGE) -> int:
    """Write the page, or compare it; returns the exit status."""
    told = page()
    if "--check" in arguments:
        if at.exists() and at.read_text(encoding="utf-8") == told:
            return 0
        sys.stderr.write("docs/data-map.md is stale: run python -m models.render\n")
        return 1
    at.parent.mkdir(exist_ok=True)
    at.write_text(told, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
