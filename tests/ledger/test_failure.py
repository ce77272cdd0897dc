"""A failure is stored without a word of what it quotes, wherever the word was hidden."""

import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter
from sqlalchemy import create_engine, text

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from ledger.failure import WITHHELD, Failure, describe
from ledger.payload import Payload, Terms
from sandbox.postgres import Postgres

CANARY = f"Jane {uuid4().hex}"


class Look(Payload):
    """Look at something."""

    kind: ClassVar[str] = "walls.look"
    terms: ClassVar[Terms] = Terms(queue="walls")

    wall_id: UUID
    due_at: datetime


class Card(BaseModel):
    """What a vendor might answer."""

    model_config = ConfigDict(extra="forbid")

    name: str
    numbers: dict[str, int] = {}


class Caller(Exception):
    """Holds what it should not."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
        self.add_note(f"the caller was {name}")

    def __repr__(self) -> str:
        return f"Caller({self.name})"

    __str__ = __repr__


def message() -> None:
    raise ValueError(f"no such caller: {CANARY}")


def argument() -> None:
    raise KeyError(CANARY, {"name": CANARY})


def attribute_and_note() -> None:
    raise Caller(CANARY)


def local() -> None:
    name = CANARY
    assert not name, name


def cause() -> None:
    try:
        message()
    except ValueError as error:
        raise RuntimeError("while looking") from error


def context() -> None:
    try:
        message()
    except ValueError:
        raise TryAgain("looked_away", "Nobody was there.")  # noqa: B904 - the context is what is tested


def group() -> None:
    raise ExceptionGroup(CANARY, [ValueError(CANARY), Caller(CANARY)])


def extra_field() -> None:
    Card.model_validate({"name": "x", CANARY: 1})


def wrong_value() -> None:
    Card.model_validate({"name": {"first": CANARY}})


def wrong_key() -> None:
    Card.model_validate({"name": "x", "numbers": {CANARY: CANARY}})


def payload() -> None:
    Look.read({"wall_id": CANARY, "due_at": CANARY, CANARY: CANARY})


def code() -> None:
    exec(f"def f_():\n  x = '{CANARY}'\n  raise ValueError(x)\nf_()")


RAISES = [
    message,
    argument,
    attribute_and_note,
    local,
    cause,
    context,
    group,
    extra_field,
    wrong_value,
    wrong_key,
    payload,
    code,
]


def failure(raises: Callable[[], object]) -> Failure:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whichever: it is the canary in it that matters
        raises()
    told = traceback.format_exception(raised.value, chain=True)
    assert CANARY in "".join(told) + repr(vars(raised.value))
    return describe("walls.look", raised.value)


@pytest.mark.parametrize("raises", RAISES, ids=lambda raises: raises.__name__)
def test_nothing_that_an_error_quotes_is_stored(raises: Callable[[], None]) -> None:
    described = failure(raises)
    assert CANARY not in repr(described)
    assert CANARY not in repr(described.stored())
    assert described.place.startswith(("tests/ledger/test_failure.py:", "ledger/payload.py:"))
    assert described.code
    assert described.fingerprint


STATEMENTS = {
    "a value that is no number": "SELECT CAST(:canary AS integer)",
    "a row that breaks a check": "INSERT INTO things (id, name) VALUES (1, :canary)",
    "a row that is there": "INSERT INTO things (id, name) VALUES (:canary, 'x'), (:canary, 'x')",
    "our own words": "DO $$ BEGIN RAISE EXCEPTION '%', current_setting('test.canary'); END $$",
    "a statement that is none": "SELEC :canary",
    "a table that is not there": "SELECT * FROM nowhere WHERE name = :canary",
}


@pytest.mark.parametrize("which", STATEMENTS)
def test_nothing_that_the_database_quotes_is_stored(postgres: Postgres, which: str) -> None:
    described = failure(lambda: tell(postgres, STATEMENTS[which]))
    assert CANARY not in repr(described)
    assert described.code.startswith("sql_")
    assert described.outcome == "bug"
    assert WITHHELD in described.message


def tell(postgres: Postgres, statement: str) -> None:
    """Run a statement beside a table of things, with the canary for its parameter."""
    engine = create_engine(postgres.admin_url)
    try:
        with engine.begin() as db:
            db.execute(text("SELECT set_config('test.canary', :canary, true)"), {"canary": CANARY})
            db.execute(
                text("CREATE TEMP TABLE things (id text PRIMARY KEY, name text NOT NULL CHECK (length(name) < 5))")
            )
            db.execute(text(statement), {"canary": CANARY} if ":canary" in statement else {})
    finally:
        engine.dispose()


def test_nothing_that_psycopg_itself_quotes_is_stored() -> None:
    def raises() -> None:
        raise psycopg.errors.UniqueViolation(f"Key (phone)=({CANARY}) already exists.")

    assert CANARY not in repr(failure(raises))


def test_of_a_database_error_the_names_of_ours_are_kept(postgres: Postgres) -> None:
    described = failure(lambda: tell(postgres, "INSERT INTO things (id, name) VALUES (:canary, NULL)"))
    assert (described.code, described.message) == ("sql_23502", f"things name {WITHHELD}")
    described = failure(lambda: tell(postgres, STATEMENTS["a row that is there"]))
    assert (described.code, described.message) == ("sql_23505", f"things things_pkey {WITHHELD}")


def test_of_a_payload_the_fields_and_what_is_wrong_with_them_are_kept() -> None:
    described = failure(payload)
    assert described.code == "invalid"
    assert described.message.split("; ") == [
        "?: extra_forbidden",
        "due_at: datetime_from_date_parsing",
        "wall_id: uuid_parsing",
    ]


@pytest.mark.parametrize(
    ("error", "outcome", "code", "message"),
    [
        (TryAgain("down", "The vendor is down."), "try_again", "down", "The vendor is down."),
        (RateLimited("busy", retry_after=3), "rate_limited", "busy", ""),
        (GiveUp("unreadable", "No sound in it."), "gave_up", "unreadable", "No sound in it."),
        (Misconfigured("no_key", "Set it.", setting="A_KEY"), "misconfigured", "no_key", "Set it. Setting: A_KEY."),
        (ValueError("x"), "bug", "unexpected", WITHHELD),
    ],
    ids=lambda case: type(case).__name__,
)
def test_our_own_words_are_kept(error: Exception, outcome: str, code: str, message: str) -> None:
    described = describe("walls.look", error)
    assert (described.outcome, described.code, described.message) == (outcome, code, message)
    assert described.error_class == type(error).__name__
    assert set(described.stored()) == {
        "outcome",
        "class",
        "code",
        "message",
        "place",
        "traceback",
        "fingerprint",
        "log_tail",
    }


@pytest.mark.parametrize("code", ["", "Down", "down!", "it is down", "x" * 64, "7up", "+447700900123"])
def test_a_code_is_a_word_of_ours_or_none(code: str) -> None:
    with pytest.raises(ValueError, match="fixed in the source") as refused:
        JobError(code)
    assert not code or code not in str(refused.value)


def test_failures_alike_have_one_fingerprint_whatever_their_line_and_words() -> None:
    def first(word: str) -> None:
        raise TryAgain("down", word)

    def second(word: str) -> None:
        raise TryAgain("down", word)

    def described(raises: Callable[[str], None], word: str, kind: str = "walls.look") -> Any:
        try:
            raises(word)
        except TryAgain as error:
            return describe(kind, error)

    one, other = described(first, "one"), described(first, f"other {datetime.now(UTC)}")
    assert one.fingerprint == other.fingerprint
    assert described(second, "one").fingerprint != one.fingerprint
    assert described(first, "one", "walls.paint").fingerprint != one.fingerprint


def test_the_place_is_the_innermost_of_our_own_source() -> None:
    def raises() -> None:
        TypeAdapter(int).validate_python(CANARY)

    described = failure(raises)
    assert described.place.endswith(" raises")
    assert 'File "tests/ledger/test_failure.py"' in described.traceback


def test_an_error_that_was_never_raised_has_no_place() -> None:
    described = describe("walls.look", ValueError("x"))
    assert (described.place, described.traceback) == ("unknown", "")


def test_a_deep_recursion_keeps_its_innermost_frames() -> None:
    def deeper(depth: int) -> None:
        if depth == 0:
            raise ValueError(CANARY)
        deeper(depth - 1)

    described = failure(lambda: deeper(200))
    assert described.place.endswith(" deeper")
    assert described.traceback.count("  File ") == 40
