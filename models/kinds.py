"""The kinds of column: `Mapped[PhoneNumber]` is a column's type and what it holds at once."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Integer,
    Interval,
    Numeric,
    Text,
    Time,
)
from sqlalchemy import Uuid as UuidType
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import MappedColumn, mapped_column
from sqlalchemy.types import TypeEngine

from models.data_map import Bundle, Category, Finds, Holds, Scrubs

ALL = (Bundle.BUSINESS, Bundle.PERSON, Bundle.PORTABLE)
OWN = (Bundle.BUSINESS, Bundle.PERSON)  # derived from a person's data, so not "provided by" them
NONE: tuple[Bundle, ...] = ()

NUMBER = r"VALUE ~ '^\+[1-9][0-9]{6,14}$'"
ADDRESS = r"VALUE = lower(VALUE) AND VALUE ~ '^[^\s@]+@[^\s@]+$'"
ID_LIST = (
    "jsonb_typeof(VALUE) = 'array' AND NOT jsonb_path_exists(VALUE, "
    """'$[*] ? (@.type() != "string" || !(@ like_regex "^[0-9a-f-]{36}$"))')"""
)
WORD_LIST = ID_LIST.replace("[0-9a-f-]{36}", "[A-Za-z0-9_.:/-]{1,200}")
CUT = r"VALUE ~ '(\.0|::)$'"
DIGEST = "VALUE ~ '^[0-9a-f]{64}$'"


def kind(name: str, sql: TypeEngine[Any], holds: Holds) -> MappedColumn[Any]:
    """Make the column of a kind; a word VALUE in its check stands for the column, as in an SQL domain."""
    return mapped_column(sql, info={"kind": name, "holds": holds})


def plain(
    name: str, sql: TypeEngine[Any], what: str, check: str | None = None, bundles: tuple[Bundle, ...] = OWN
) -> Any:
    """Make a kind that is of no one."""
    return kind(name, sql, Holds(what=what, check=check, bundles=bundles))


def personal(
    name: str,
    what: str,
    *,
    scrub: Scrubs = Scrubs.NULL,
    bundles: tuple[Bundle, ...] = ALL,
    correct: bool = False,
    find: Finds | None = None,
    check: str | None = None,
    sql: TypeEngine[Any] | None = None,
    category: Category | None = None,
    outside: bool = False,
) -> Any:
    """Make a kind that is of a human being."""
    holds = Holds(
        what=what,
        personal=True,
        scrub=scrub,
        bundles=bundles,
        correct=correct,
        find=find,
        check=check,
        category=category,
        outside=outside,
    )
    return kind(name, sql or Text(), holds)


Id = Annotated[UUID, plain("Id", UuidType(), "an opaque id of ours")]
Moment = Annotated[datetime, plain("Moment", DateTime(timezone=True), "a time", bundles=ALL)]
Day = Annotated[date, plain("Day", Date(), "a day", bundles=ALL)]
TimeOfDay = Annotated[time, plain("TimeOfDay", Time(), "a time of day")]
Period = Annotated[timedelta, plain("Period", Interval(), "a span of time")]
Flag = Annotated[bool, plain("Flag", Boolean(), "yes or no")]
Count = Annotated[int, plain("Count", BigInteger(), "a number of things", "VALUE >= 0")]
Difference = Annotated[int, plain("Difference", BigInteger(), "a number of things, less than none if it corrects")]
WholeSeconds = Annotated[int, plain("WholeSeconds", Integer(), "seconds, rounded up", "VALUE >= 0")]
Seconds = Annotated[Decimal, plain("Seconds", Numeric(12, 3), "seconds", "VALUE >= 0")]
Share = Annotated[Decimal, plain("Share", Numeric(6, 5), "a share of one", "VALUE BETWEEN 0 AND 1")]
Quantity = Annotated[Decimal, plain("Quantity", Numeric(12, 3), "a quantity", bundles=ALL)]
Money = Annotated[Decimal, plain("Money", Numeric(14, 2), "an amount of money", bundles=ALL)]
Currency = Annotated[str, plain("Currency", Text(), "a currency, ISO 4217", "VALUE ~ '^[A-Z]{3}$'", ALL)]
Country = Annotated[str, plain("Country", Text(), "a country, ISO 3166", "VALUE ~ '^[A-Z]{2}$'")]
Zone = Annotated[str, plain("Zone", Text(), "a time zone, IANA", "VALUE ~ '^[A-Za-z0-9_+/-]{2,50}$'")]
Language = Annotated[
    str, plain("Language", Text(), "a language, BCP 47", "VALUE ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$'")
]
Word = Annotated[
    str, plain("Word", Text(), "a word of our own source", "VALUE ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'")
]
Digest = Annotated[str, plain("Digest", Text(), "SHA-256 of a vendor's id or of a token, in hex", DIGEST, NONE)]
WordList = Annotated[list[str], plain("WordList", JSONB(), "words of ours or of a vendor", WORD_LIST, NONE)]
IdList = Annotated[list[str], plain("IdList", JSONB(), "ids of other rows", ID_LIST, NONE)]
AccountRef = Annotated[str, plain("AccountRef", Text(), "the id of the business's own thing at a vendor", bundles=NONE)]
MapEntry = Annotated[dict[str, Any], plain("MapEntry", JSONB(), "what the data map says", bundles=NONE)]
EntryName = Annotated[str, plain("EntryName", Text(), "the name of an entry of the data map", bundles=NONE)]
BusinessName = Annotated[
    str, kind("BusinessName", Text(), Holds(what="a business's name", scrub=Scrubs.TOKEN, correct=True))
]
BusinessText = Annotated[
    str,
    kind(
        "BusinessText",
        Text(),
        Holds(what="what a business wrote", scrub=Scrubs.TOKEN, correct=True, find=Finds.TEXT),
    ),
]
LineNumber = Annotated[str, kind("LineNumber", Text(), Holds(what="a business's own number, E.164", check=NUMBER))]
LineRef = Annotated[
    str,
    kind(
        "LineRef",
        Text(),
        Holds(
            what="the id of what the business rents at a vendor",
            bundles=NONE,
            scrub=Scrubs.VENDOR,
            outside=True,
        ),
    ),
]
Secret = Annotated[
    str,
    kind("Secret", Text(), Holds(what="a secret, encrypted", scrub=Scrubs.NULL, bundles=NONE, secret=True)),
]
SealedToken = Annotated[
    str,
    kind(
        "SealedToken",
        Text(),
        Holds(
            what="a token to a vendor, encrypted; the access goes too",
            scrub=Scrubs.VENDOR,
            bundles=NONE,
            secret=True,
            outside=True,
        ),
    ),
]
UserId = Annotated[
    UUID,
    kind("UserId", UuidType(), Holds(what="the id of who signs in; the sign-in goes with its last use", outside=True)),
]

PersonName = Annotated[str, personal("PersonName", "a person's name", scrub=Scrubs.TOKEN, correct=True)]
PhoneNumber = Annotated[
    str, personal("PhoneNumber", "a telephone number, E.164", correct=True, find=Finds.PHONE, check=NUMBER)
]
EmailAddress = Annotated[
    str,
    personal("EmailAddress", "an email address, lower case", correct=True, find=Finds.EMAIL, check=ADDRESS),
]
Identifier = Annotated[
    str, personal("Identifier", "what a person is reached by: number, address, chat id", find=Finds.VALUE)
]
PersonalText = Annotated[
    str,
    personal("PersonalText", "text by or about a person", scrub=Scrubs.TOKEN, correct=True, find=Finds.TEXT),
]
DerivedText = Annotated[
    str,
    personal(
        "DerivedText",
        "text that a model made of a person's words",
        scrub=Scrubs.TOKEN,
        bundles=OWN,
        correct=True,
        find=Finds.TEXT,
    ),
]
Needle = Annotated[
    str,
    personal(
        "Needle",
        "a number's last eight digits, or an address, that a text names",
        bundles=NONE,
    ),
]
KeyedDigest = Annotated[
    str,
    personal("KeyedDigest", "a keyed digest of an address, number or session", bundles=NONE, check=DIGEST),
]
StoredObject = Annotated[
    str,
    personal(
        "StoredObject",
        "the key of an object in our bucket; the object goes too",
        scrub=Scrubs.OBJECT,
        category=Category.COMMUNICATION,
        outside=True,
    ),
]
VendorRef = Annotated[
    str,
    personal(
        "VendorRef",
        "the id of a vendor's copy; that copy goes too",
        scrub=Scrubs.VENDOR,
        bundles=NONE,
        outside=True,
    ),
]
LapsingRef = Annotated[
    str,
    personal("LapsingRef", "the id of a vendor's record that no call deletes: it lapses", bundles=NONE),
]
RemainsRef = Annotated[
    str, personal("RemainsRef", "the id of a copy, or the sealed token of an access, still to go", bundles=NONE)
]
CutAddress = Annotated[
    str,
    personal(
        "CutAddress",
        "a network address without its last part",
        bundles=OWN,
        category=Category.USAGE,
        check=CUT,
    ),
]
Browser = Annotated[str, personal("Browser", "a browser's name and version", bundles=OWN, category=Category.USAGE)]
RawPayload = Annotated[
    dict[str, Any],
    personal("RawPayload", "a vendor's message as it came", sql=JSONB(), bundles=NONE, find=Finds.TEXT),
]
