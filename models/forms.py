"""Columns of closed form: one of some words, an object of some keys, a list of such objects."""

from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Dialect, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import MappedColumn, mapped_column

from models.data_map import Finds, Holds, Scrubs
from models.kinds import OWN

E = TypeVar("E", bound=StrEnum)


class CodeOf(TypeDecorator[E]):
    """Text that holds one of an enum's words; the table gets the CHECK that says so."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[E]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy names it
        """Refuse a word that is not in the list before the database does."""
        return None if value is None else str(self.words(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:  # noqa: ARG002 - SQLAlchemy names it
        """Give the word back as the enum's member."""
        return None if value is None else self.words(value)


def code(words: type[E], **more: Any) -> MappedColumn[Any]:
    """Declare a column that holds one of these words."""
    listed = ", ".join(f"'{word}'" for word in words)
    holds = Holds(what=f"one of: {', '.join(words)}", bundles=OWN, check=f"VALUE IN ({listed})")
    return mapped_column(CodeOf(words), info={"kind": "Code", "holds": holds}, **more)


def props(*keys: str, personal: bool = False, **more: Any) -> MappedColumn[Any]:
    """Declare a JSON object that may have these keys and no other."""
    listed = ", ".join(f"'{key}'" for key in keys)
    closed = f"jsonb_typeof(VALUE) = 'object' AND VALUE - ARRAY[{listed}]::text[] = '{{}}'::jsonb"
    scrub = Scrubs.NULL if personal else Scrubs.KEEP
    holds = Holds(what=f"an object of: {', '.join(keys)}", personal=personal, scrub=scrub, bundles=OWN, check=closed)
    return mapped_column(JSONB(), info={"kind": "Props", "holds": holds}, **more)


def items(*keys: str, what: str, **more: Any) -> MappedColumn[Any]:
    """Declare a JSON list of personal objects that may have these keys and no other."""
    other = " && ".join(f'@ != "{key}"' for key in keys)
    closed = (
        "jsonb_typeof(VALUE) = 'array' AND NOT jsonb_path_exists(VALUE, '$[*] ? (@.type() != \"object\")') "
        f"AND NOT jsonb_path_exists(VALUE, '$[*].keyvalue().key ? ({other})')"
    )
    holds = Holds(what=what, personal=True, scrub=Scrubs.NULL, bundles=OWN, find=Finds.TEXT, check=closed)
    return mapped_column(JSONB(), info={"kind": "Items", "holds": holds}, **more)
