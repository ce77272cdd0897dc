"""The words in which each table says whom its rows concern, what becomes of them, and when they end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def once(cls: type[T]) -> type[T]:
    """Make a value that is written once: frozen, and each field named at the call."""
    make: Callable[[type[T]], type[T]] = dataclass(frozen=True, slots=True, kw_only=True)
    return make(cls)


class Category(StrEnum):
    """The five kinds of data that section 1 of the privacy policy names, and the engine's own."""

    ACCOUNT = "account data"
    COMMUNICATION = "communication data"
    BUSINESS = "business data"
    USAGE = "usage and technical data"
    FORMS = "waitlist and contact data"
    ENGINE = "the engine's own records"


class Because(StrEnum):
    """Why a row may outlive its subject. CONTROLLER is the tenant's duty and ends with the tenant."""

    LEGAL = "legal"
    BILLING = "billing"
    SECURITY = "security"
    OBJECTION = "objection"
    CONTROLLER = "controller"


class Who(StrEnum):
    """The three kinds of human being, each by the table that stands for them."""

    PERSON = "people"
    MEMBER = "members"
    STAFF = "operators"


class Bundle(StrEnum):
    """The exports a column may go into."""

    BUSINESS = "business"
    PERSON = "person"
    PORTABLE = "portable"


class Scrubs(StrEnum):
    """What scrubbing leaves behind in a column."""

    KEEP = "keep"
    NULL = "null"
    TOKEN = "token"  # noqa: S105 - a word that stands where the text was
    OBJECT = "object"
    VENDOR = "vendor"


class Finds(StrEnum):
    """How a value is looked for where no foreign key can exist."""

    PHONE = "phone"
    EMAIL = "email"
    TEXT = "text"
    VALUE = "value"


class May(StrEnum):
    """What a role may do with a table through its view in `live`."""

    READ = "SELECT"
    ADD = "INSERT"
    CHANGE = "UPDATE"
    REMOVE = "DELETE"


# Endings. `when` is an SQL condition over the row.


@once
class Delete:
    """The row goes."""

    when: str | None = None


@once
class Scrub:
    """The row stays; the personal columns `of` this link are emptied, each in the way of its kind."""

    when: str | None = None


@once
class Unlink:
    """The row stays and forgets who it was."""


@once
class Review:
    """A person looks at the row; until then nothing is called completed."""


@once
class LastOut:
    """A row that several share goes with its last subject; `among` lists the tables that know the others."""

    among: tuple[str, ...] = ()


@once
class Keep:
    """Only these columns stay, for this reason, until this."""

    because: Because
    only: tuple[str, ...]
    until: str
    when: str | None = None


@once
class Count:
    """The row is counted into another table before it goes, never with fewer people or businesses."""

    into: str
    by: tuple[str, ...]
    people: int = 10
    businesses: int = 5


@once
class Revoke:
    """The access that the row holds is revoked at the vendor named by that column, last of all."""

    at: str


Ending = Delete | Scrub | Unlink | Review | LastOut | Keep | Count | Revoke


# Links: whom a row concerns. Any number a table.


@once
class About:
    """The row concerns this human being, by composite foreign key; `id` says that the row itself is them."""

    column: str
    then: tuple[Ending, ...]
    who: Who = Who.PERSON


@once
class Through:
    """The row concerns whom its parent concerns, and ends with it; derived rows are then made anew."""

    column: str
    derived: bool = False


@once
class Matching:
    """The row concerns whoever this value belongs to, where no foreign key can exist."""

    column: str
    finds: Finds | str
    then: tuple[Ending, ...]


@once
class NoOne:
    """The row concerns no human being, and this is why."""

    because: str


Link = About | Through | Matching | NoOne


# Time: when a row ends though nobody asks.


@once
class Expires:
    """So long after that column."""

    after: timedelta
    since: str


@once
class TenantSays:
    """The period in that column of businesses after this column of the row; never, where it is empty."""

    setting: str
    since: str


@once
class WhileActive:
    """As long as the business is active."""


@once
class WithParent:
    """When what it hangs on ends."""


@once
class CountryPeriod:
    """When the country's period for this reason is over, counted from that column."""

    because: Because
    since: str


@once
class Never:
    """The row stays, and this is why it may."""

    because: str


Ends = Expires | TenantSays | WhileActive | WithParent | CountryPeriod | Never


@once
class Life:
    """What a table says of its rows."""

    category: Category
    links: tuple[Link, ...]
    after_cancellation: tuple[Ending, ...]
    ends: Ends
    event_time: str | None = None
    restricted: Literal["hidden", "masked", "shown"] = "hidden"


@once
class Holds:
    """What a kind of column says of its values; `version` moves on when the meaning does."""

    what: str
    personal: bool = False
    scrub: Scrubs = Scrubs.KEEP
    bundles: tuple[Bundle, ...] = (Bundle.BUSINESS,)
    correct: bool = False
    find: Finds | None = None
    category: Category | None = None
    secret: bool = False
    outside: bool = False
    check: str | None = None
    version: int = 1
