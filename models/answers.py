"""Refuse, while it is being imported, a table or column that does not answer the data map's questions."""

from typing import Any

from sqlalchemy import JSON, Column, Table

from models.data_map import (
    About,
    CountryPeriod,
    Delete,
    Expires,
    Holds,
    Keep,
    Life,
    Matching,
    NoOne,
    Scrub,
    Scrubs,
    TenantSays,
    Through,
    Unlink,
    Who,
)

INFO = {"kind", "holds", "of", "at", "at_in", "what", "made_from", "was"}
HUMAN = {str(who) for who in Who}
OPEN = {"RawPayload", "MapEntry", "Shape"}
"""Kinds of JSON that may have any key: a vendor's message as it came, and what the engine alone writes."""


class UnmappedDataError(TypeError):
    """A table or column does not say what it holds or what becomes of it."""


def check_row(row: Any, table: Table) -> None:
    """Ask a mapped class everything; raises UnmappedDataError with what is missing and what to write."""
    name = row.__name__
    life = row.__dict__.get("__life__")
    if not isinstance(life, Life):
        raise UnmappedDataError(
            f"{name} does not say what becomes of its rows: give it __life__ = Life(...) of models/data_map"
        )
    if not (row.__dict__.get("__doc__") or "").strip():
        raise UnmappedDataError(
            f"{name} does not say what it is: give it a docstring of one sentence, for the data map"
        )
    if "business_id" not in table.primary_key.columns and not row.__because__:
        raise UnmappedDataError(
            f"{name} does not say why it is of no tenant: "
            f"write class {name}(PlatformRow, because=...), or make it a TenantRow"
        )
    for column in table.columns:
        _check_column(name, column)
    _check_links(name, table, life)
    _check_parents(name, table, life)
    _check_of(name, table, life)
    _check_times(name, table, life)


def _check_column(name: str, column: Column[Any]) -> None:
    holds = column.info.get("holds")
    where = f"{name}.{column.name}"
    if not isinstance(holds, Holds):
        raise UnmappedDataError(
            f"{where} does not say what it holds: give it a kind of models/kinds, say Mapped[PersonalText]"
        )
    if unknown := set(column.info) - INFO:
        raise UnmappedDataError(f"{where} says {sorted(unknown)}, which nobody reads: info knows {sorted(INFO)}")
    if isinstance(column.type, JSON) and holds.check is None and column.info["kind"] not in OPEN:
        raise UnmappedDataError(
            f"{where} is JSON and does not say which keys it may have: "
            "declare it with props(...) or items(...) of models/forms"
        )
    if holds.outside and not {"at", "at_in"} & set(column.info):
        raise UnmappedDataError(
            f"{where} does not say where its copy lies: give it mapped_column(info=at('twilio', 'recording'))"
        )


def _check_links(name: str, table: Table, life: Life) -> None:
    if not life.links:
        raise UnmappedDataError(f"{name} does not say whom its rows concern: give Life links, or NoOne(because=...)")
    pointing = {constraint.column_keys[-1]: _target(constraint) for constraint in table.foreign_key_constraints}
    said = {each.column: each for each in life.links if isinstance(each, About)}
    for column, target in sorted(pointing.items()):
        if target in HUMAN and column not in said:
            raise UnmappedDataError(
                f"{name}.{column} points at {target} and no link says so: "
                f"add About(column={column!r}, who=..., then=(...)) to its Life"
            )
    for each in life.links:
        if isinstance(each, NoOne):
            if len(life.links) > 1:
                raise UnmappedDataError(f"{name} concerns no one and someone: take NoOne out of its links")
            continue
        if each.column not in table.columns:
            raise UnmappedDataError(f"{name} links through {each.column!r}, which is no column of it")
        if isinstance(each, About):
            _check_about(name, table, each, pointing)
        if isinstance(each, Through) and each.column not in pointing:
            raise UnmappedDataError(f"{name}.{each.column} leads to no parent: give it a foreign key with link(...)")


def _check_about(name: str, table: Table, about: About, pointing: dict[str, str]) -> None:
    itself = about.column == "id" and table.name == about.who
    if not itself and pointing.get(about.column) != about.who:
        raise UnmappedDataError(
            f"{name}.{about.column} does not point at {about.who}: add link({about.column!r}, '{about.who}')"
        )
    if any(isinstance(ending, Unlink) for ending in about.then) and not table.columns[about.column].nullable:
        raise UnmappedDataError(f"{name}.{about.column} is unlinked and may not be null: let it be None")
    if not about.then:
        raise UnmappedDataError(f"{name}.{about.column} does not say what becomes of the row: give then=(Delete(),)")


def _check_parents(name: str, table: Table, life: Life) -> None:
    """A row that holds another one fast says that it ends with it: or that one could never go."""
    if "business_id" not in table.primary_key.columns:
        return
    followed = {each.column for each in life.links if isinstance(each, About | Through)}
    for constraint in table.foreign_key_constraints:
        column, target = constraint.column_keys[-1], _target(constraint)
        of_one_business = len(constraint.column_keys) > 1 and target != table.name
        if of_one_business and constraint.ondelete is None and column not in followed:
            raise UnmappedDataError(
                f"{name}.{column} holds a row of {target} fast and does not say that it ends with it: "
                f"add Through(column={column!r}), or let it be emptied with link({column!r}, {target!r}, unlink=True)"
            )


def _check_of(name: str, table: Table, life: Life) -> None:
    links = {each.column for each in life.links if not isinstance(each, NoOne)}
    for column in table.columns:
        holds: Holds = column.info["holds"]
        of = column.info.get("of")
        if of is not None and of not in links:
            raise UnmappedDataError(f"{name}.{column.name} is of {of!r}, which is no link of {name}: {sorted(links)}")
        if not holds.personal:
            continue
        if not links:
            raise UnmappedDataError(f"{name}.{column.name} holds {holds.what}, yet {name} concerns no one: add a link")
        if len(links) > 1 and of is None:
            raise UnmappedDataError(
                f"{name}.{column.name} does not say of whom it is: "
                f"give it mapped_column(info=of(...)) with one of {sorted(links)}"
            )


def _check_times(name: str, table: Table, life: Life) -> None:
    named = [life.event_time] if life.event_time else []
    if isinstance(life.ends, Expires | TenantSays | CountryPeriod):
        named.append(life.ends.since)
    endings = [*life.after_cancellation]
    for each in life.links:
        if isinstance(each, About | Matching):
            endings.extend(each.then)
    for ending in endings:
        if isinstance(ending, Keep):
            named.extend(ending.only)
        if isinstance(ending, Scrub):
            _check_scrub(name, table)
    ways = Delete | Scrub | Keep
    if "business_id" in table.columns and not any(isinstance(each, ways) for each in life.after_cancellation):
        raise UnmappedDataError(f"{name} does not say how it ends after cancellation: Delete(), Scrub() or Keep(...)")
    for column in named:
        if column not in table.columns:
            raise UnmappedDataError(f"{name} counts on {column!r}, which is no column of it")


def _check_scrub(name: str, table: Table) -> None:
    for column in table.columns:
        if column.info["holds"].scrub is Scrubs.NULL and not column.nullable:
            raise UnmappedDataError(f"{name}.{column.name} is scrubbed to null and may not be null: let it be None")


def _target(constraint: Any) -> str:
    spec: str = constraint.elements[-1].target_fullname
    return spec.split(".")[-2]


def of(link: str, *, made_from: str | None = None) -> dict[str, str]:
    """Say of whom a personal column is, by its link; `made_from` names the table whose end clears it."""
    return {"of": link} | ({"made_from": made_from} if made_from else {})


def at(store: str, what: str, link: str | None = None) -> dict[str, str]:
    """Say at which vendor or store the copy lies that a column names, and what it is there."""
    return {"at": store, "what": what} | ({"of": link} if link else {})


def at_in(column: str, what: str, link: str | None = None) -> dict[str, str]:
    """Say which column of the row names the vendor where the copy lies, and what it is there."""
    return {"at_in": column, "what": what} | ({"of": link} if link else {})


def was(table: str) -> dict[str, str]:
    """Say that a column holds the id of a row of that table that went into another one."""
    return {"was": table}
