"""A filter of jobs as people write it, in addresses and at the command line; what cannot be one is said, no guess."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger import moments
from ledger.queries.order import JobFilter
from ledger.queries.walk import LARGEST
from models.ledger import State

NAME = re.compile(r"[a-z0-9_.]{1,80}")
FIELDS = (
    "state",
    "kind",
    "queue",
    "business",
    "id",
    "job",
    "error",
    "fingerprint",
    "failing",
    "chain",
    "since",
    "until",
)
TIMES = ("since", "until")
MOST_TICKED = 500


@dataclass(frozen=True, slots=True)
class Given:
    """What stands in the address, what it means, and what is wrong with it by field."""

    given: dict[str, str]
    wanted: JobFilter
    wrong: dict[str, str]


def read(query: Mapping[str, str]) -> Given:
    """Read the filter of an address; `wrong` is empty where all of it could be read."""
    given = {name: value for name in FIELDS if (value := _value(query, name))}
    values: dict[str, Any] = {}
    wrong = {"job": "Tick at least one job."} if "job" in query and "job" not in given else {}
    for name, value in given.items():
        try:
            values.update(READ[name](value))
        except ValueError:
            wrong[name] = EXPECTED[name]
    return Given(given, JobFilter(**values), wrong)


def _value(query: Mapping[str, str], name: str) -> str:
    several: Callable[[str], list[str]] | None = getattr(query, "getlist", None)
    if name == "job" and several is not None:  # boxes that were ticked in a page: one value each
        return ",".join(several(name)).strip(",")
    return query.get(name, "").strip()


def _state(value: str) -> dict[str, Any]:
    return {"state": State(value)}


def _named(field: str) -> Callable[[str], dict[str, Any]]:
    def name(value: str) -> dict[str, Any]:
        if not NAME.fullmatch(value):
            raise ValueError(field)
        return {field: value}

    return name


def _business(value: str) -> dict[str, Any]:
    return {"business_id": UUID(int=0) if value == "house" else UUID(value)}


def _id_or_uuid(value: str) -> dict[str, Any]:
    return {"id": _id(value)} if value.isascii() and value.isdecimal() else {"about": UUID(value)}


def _ids(value: str) -> dict[str, Any]:
    ids = tuple(dict.fromkeys(_id(part.strip()) for part in value.split(",")))
    if len(ids) > MOST_TICKED:
        raise ValueError("too many")
    return {"ids": ids}


def _id(value: str) -> int:
    if not value.isascii() or not value.isdecimal() or int(value) > LARGEST:
        raise ValueError("no id")
    return int(value)


def _moment(field: str) -> Callable[[str], dict[str, Any]]:
    return lambda value: {field: moments.read(value)}


READ: dict[str, Callable[[str], dict[str, Any]]] = {
    "state": _state,
    "kind": _named("kind"),
    "queue": _named("queue"),
    "business": _business,
    "id": _id_or_uuid,
    "job": _ids,
    "error": _named("code"),
    "fingerprint": _named("fingerprint"),
    "failing": _named("failing"),
    "chain": lambda value: {"root_id": _id(value)},
    "since": _moment("since"),
    "until": _moment("until"),
}
EXPECTED = {
    "state": f"A state is one of: {', '.join(State)}.",
    "kind": "A kind is lower-case words with a dot, such as recordings.transcribe.",
    "queue": "A queue is one lower-case word.",
    "business": "A business is a UUID, or the word house.",
    "id": "A job's number, or a UUID that its payload names.",
    "job": f"Numbers of jobs with commas between them, {MOST_TICKED} at most.",
    "error": "An error's code is lower-case words with underscores, such as vendor_down.",
    "fingerprint": "A fingerprint is what the list of failures links to.",
    "failing": "The fingerprint of a failure, as the list of failures links to it.",
    "chain": "A chain is named by the number of its first job.",
    "since": "A time in UTC, such as 2026-05-04T12:30.",
    "until": "A time in UTC, such as 2026-05-04T12:30.",
}
ADDRESSES = {"ids": "job", "business_id": "business", "about": "id", "code": "error", "root_id": "chain"}
"""Fields of a filter that have another name in addresses."""


def kept(query: Mapping[str, str], fields: Sequence[str] = FIELDS) -> dict[str, str]:
    """Return what of an address is of its filter: nothing empty, and times in UTC, whoever is sent the address."""
    return {
        name: _in_utc(value) if name in TIMES else value for name, value in query.items() if value and name in fields
    }


def _in_utc(value: str) -> str:
    try:
        return moments.write(moments.read(value))
    except ValueError:
        return value  # it is said what is wrong with it


def address(stored: Mapping[str, str]) -> dict[str, str]:
    """Return a filter that an operation keeps as it stands in an address."""
    return {ADDRESSES.get(name, name): value for name, value in stored.items()}
