"""What the voice vendors are asked alike: a recording's bytes, and the calls of a day without anybody's number."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ledger.errors import GiveUp, TryAgain

MOST_PAGES: Final = 20_000
"""Of one list; at the smallest page that is a million calls of one day."""

A_WEEK: Final = 7 * 24 * 3600

REF: Final = re.compile(r"[A-Za-z0-9_:=-][A-Za-z0-9_.:=-]{0,199}", re.ASCII)

Write = Callable[[bytes], object]
"""Takes one piece of a recording after the other."""

Direction = Literal["inbound", "outbound"]

Ref = Annotated[str, Field(pattern=r"^[A-Za-z0-9_:=-][A-Za-z0-9_.:=-]{0,199}$")]
Status = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z_-]{0,39}$")]
Length = Annotated[Decimal, Field(ge=0, le=A_WEEK, allow_inf_nan=False)]
Moment = AwareDatetime

Cursor = TypeVar("Cursor")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A recording that was written to its end: its size in bytes and its media type."""

    bytes: int
    content_type: str


@dataclass(frozen=True, slots=True)
class Carried:
    """A call as its vendor counts it, to be compared with ours; who called whom stays at the vendor.

    `started_at` is when it began, or else when it was made; `seconds` is None until the vendor knows. `status` is
    the vendor's own word, and `ended` what it means: the length will not change. `carrier_ref` is the id of the
    same call at the vendor that carried it, where another one did.
    """

    ref: str
    started_at: datetime
    seconds: Decimal | None
    direction: Direction | None
    status: str
    ended: bool
    carrier_ref: str | None = None


class Part(BaseModel):
    """A part of a vendor's reply that we read; what we do not name is dropped as it is read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def reference(ref: str, word: str) -> str:
    """Return an id that can stand in a path; raise GiveUp `<word>_ref_malformed` for anything else."""
    if not REF.fullmatch(ref):
        raise GiveUp(f"{word}_ref_malformed", "what the row holds is no id of this vendor's")
    return ref


def pages(
    page: Callable[[Cursor | None], tuple[list[Carried], Cursor | None]], word: str, most: int = MOST_PAGES
) -> Iterator[Carried]:
    """Yield the calls of one page after the other, from the page at None on, until one names no next.

    Raises TryAgain `<word>_endless` where a page names itself as the next, or after `most` pages: a list that was
    cut short would look like calls that are missing.
    """
    cursor: Cursor | None = None
    for _ in range(most):
        calls, following = page(cursor)
        yield from calls
        if following is None:
            return
        if following == cursor:
            break
        cursor = following
    raise TryAgain(f"{word}_endless", "the list of calls did not come to an end")
