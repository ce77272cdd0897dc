"""One row, or some, in every table: each column a token that it takes, as the catalog says what it takes."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from tests.canary.catalog import Column, Table
from tests.canary.tokens import Tokens

Row = dict[str, Any]
SMALL = {
    "boolean": "true",
    "smallint": "7",
    "date": "2026-05-17",
    "interval": "401 days",
    "time without time zone": "09:17",
}
"""Types whose values are so few that none is a token."""

BEGINS = {
    **dict.fromkeys(("nexara.calls", "nexara.call_legs"), "CA"),
    "nexara.recordings": "RE",
    "nexara.messages": "SM",
    "nexara.phone_lines": "PN",
}
"""How Twilio's ids begin; the other vendors mind nothing."""
NINE = 9
"""The digits of a number that is a token."""


class CannotPlant(AssertionError):
    """Nobody told this test how to plant a column."""


@dataclass
class Planter:
    """Plants rows for one business, hanging on the rows that `base` has by table."""

    db: Connection
    tokens: Tokens
    business: str
    base: dict[str, Row] = field(default_factory=dict)
    planted: list[tuple[str, Row]] = field(default_factory=list)

    def plant(self, table: Table, told: Mapping[str, Any]) -> Row:
        """Plant a row with all its columns filled, but for those that are told."""
        row = {column.name: self._value(table, column, told) for column in table.columns}
        names = ", ".join(row)
        marks = ", ".join(f"CAST(:{column.name} AS {column.type})" for column in table.columns)
        try:
            self.db.execute(text(f"INSERT INTO {table.name} ({names}) VALUES ({marks})"), row)
        except Exception as error:
            raise CannotPlant(f"{table.name} does not take {row}: say how in tests/canary/ways.py") from error
        self.planted.append((table.name, row))
        self.base.setdefault(table.name, row)
        return row

    def fill(self, table: Table, row_id: str, but: Iterable[str]) -> None:
        """Fill the columns of a row that is there."""
        row = {
            column.name: self._value(table, column, {}) for column in table.columns if column.name not in ("id", *but)
        }
        told = ", ".join(
            f"{each.name} = CAST(:{each.name} AS {each.type})" for each in table.columns if each.name in row
        )
        self.db.execute(text(f"UPDATE {table.name} SET {told} WHERE id = :of"), row | {"of": row_id})

    def _value(self, table: Table, column: Column, told: Mapping[str, Any]) -> Any:
        if column.name in told:
            return told[column.name]
        if column.name == "business_id":
            return self.business
        if column.name in table.points:
            target = table.points[column.name]
            if target == table.name:
                return None
            if target in self.base:
                return self.base[target]["id"]
            raise CannotPlant(f"{table.name}.{column.name} points at {target}, of which nothing is planted")
        return self._token(table, column)

    def _token(self, table: Table, column: Column) -> Any:
        place = f"{table.name}.{column.name}"
        if column.words:
            return column.words[0]
        for make in candidates(column):
            before = dict(self.tokens.made)
            value = make(self.tokens, place)
            if all(self._takes(column, check, value) for check in column.checks):
                return value
            self.tokens.made = before
        raise CannotPlant(f"nobody knows what {place} takes ({column.type}): say it in tests/canary/planting.py")

    def _takes(self, column: Column, check: str, value: Any) -> bool:
        asked = f"SELECT ({check}) FROM (SELECT CAST(:value AS {column.type}) AS {column.name}) t"
        return bool(self.db.scalar(text(asked), {"value": value}))


Make = Callable[[Tokens, str], Any]


def candidates(column: Column) -> Iterator[Make]:
    """Yield ways to make a value of a column, the most telling first; the first that its conditions take is planted."""
    bare = column.type.partition("(")[0]
    if bare in SMALL:
        yield lambda _tokens, _place: SMALL[bare]
    elif bare == "uuid":
        yield Tokens.id
    elif bare in ("integer", "bigint"):
        yield Tokens.number
    elif bare == "numeric":
        whole, _, part = column.type.removeprefix("numeric(").removesuffix(")").partition(",")
        if int(whole) - int(part) >= NINE:
            yield lambda tokens, place: str(tokens.number(place))
        yield lambda _tokens, _place: "0.62473"
    elif bare == "timestamp with time zone":
        yield Tokens.moment
    elif bare == "bytea":
        yield lambda tokens, place: tokens.word(place).ljust(32, "=").encode()
    elif bare == "text[]":
        yield lambda tokens, place: [tokens.word(place)]
        yield lambda _tokens, _place: re.findall(r"'([^']*)'", " ".join(column.checks))[:1]
    elif bare == "bigint[]":
        yield lambda tokens, place: [tokens.number(place)]
    elif bare == "jsonb":
        yield from _json(column)
    elif bare == "text":
        yield from _text(column)


def _text(column: Column) -> Iterator[Make]:
    if re.search(r"(^|_)ref$|^object$|_event$", column.name):  # what stands in a URL
        yield lambda tokens, place: tokens.ref(place, BEGINS.get(place.rpartition(".")[0], ""))
    yield Tokens.text
    yield Tokens.word
    yield Tokens.phone
    yield Tokens.email
    yield Tokens.hex
    yield lambda tokens, place: f"en-{tokens.short(place)}"
    yield lambda _tokens, _place: "198.51.100.0"
    yield lambda _tokens, _place: "XTS"


def _json(column: Column) -> Iterator[Make]:
    said = " ".join(column.checks)
    if keys := re.findall(r'@ != "(\w+)"', said):
        yield lambda tokens, place: json.dumps([{key: tokens.text(f"{place}.{key}") for key in keys}])
    if keys := re.findall(r"'(\w+)'::text", said.partition("ARRAY[")[2]):
        yield lambda tokens, place: json.dumps({key: tokens.text(f"{place}.{key}") for key in keys})
    yield lambda tokens, place: json.dumps({tokens.word(place): {tokens.word(place): [tokens.text(place)]}})
    yield lambda tokens, place: json.dumps([tokens.word(place)])
    yield lambda tokens, place: json.dumps([tokens.id(place)])
