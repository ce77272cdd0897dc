"""What the officer's pages read of erasures: ids, codes, counts and times; whose data it is, nobody sees here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from lifecycle.receipt import broken
from models.erasures import ErasureState, Receipt

ERASURES = text("SELECT * FROM nexara.erasures_v1(:business, :erasure, :open)")
MEANT = text("SELECT * FROM nexara.erasure_scope_v1(:business, :erasure)")
REVIEWS = text("SELECT * FROM nexara.reviews_v1(:business, :erasure)")
RECEIPTS = text("SELECT * FROM nexara.receipts_v1(:business)")
ENDED = (ErasureState.COMPLETED, ErasureState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class ErasureSeen:
    """One erasure, as far as it may be shown to whoever looks; `copies` counts what it left elsewhere, by state."""

    business_id: UUID
    id: UUID
    scope: str
    root_id: UUID | None
    origin: str
    replayed: bool
    state: ErasureState
    reason: str | None
    plan: Mapping[str, int]
    counts: Mapping[str, int]
    asked_at: datetime
    confirmed_at: datetime | None
    erased_at: datetime | None
    completed_at: datetime | None
    to_decide: int
    included: int
    copies: Sequence[Mapping[str, Any]]
    open_reviews: int

    @property
    def open(self) -> bool:
        """Whether anything is still to be done."""
        return self.state not in ENDED

    @property
    def copies_to_do(self) -> int:
        """How many copies elsewhere are not gone yet."""
        return sum(each["copies"] for each in self.copies if each["state"] not in GONE)

    @property
    def by_hand(self) -> int:
        """How many copies wait for somebody."""
        return sum(each["copies"] for each in self.copies if each["state"] == "manual")


GONE = ("confirmed", "lapses", "contract")


@dataclass(frozen=True, slots=True)
class Proved:
    """The receipts of an erasure, and what is wrong with the chain that they belong to."""

    receipts: Sequence[Receipt]
    wrong: Sequence[str]


def list_erasures(db: Connection, *, open_only: bool = False, business: UUID | None = None) -> list[ErasureSeen]:
    """Return the latest erasures, at most 500."""
    return [_seen(row) for row in db.execute(ERASURES, {"business": business, "erasure": None, "open": open_only})]


def find_erasure(db: Connection, business: UUID, erasure: UUID) -> ErasureSeen | None:
    """Return one erasure."""
    found = db.execute(ERASURES, {"business": business, "erasure": erasure, "open": False}).one_or_none()
    return _seen(found) if found else None


def meant(db: Connection, erasure: ErasureSeen) -> Sequence[Any]:
    """Return whom it was found to mean, row by row."""
    return db.execute(MEANT, {"business": erasure.business_id, "erasure": erasure.id}).all()


def reviews(db: Connection, erasure: ErasureSeen) -> Sequence[Any]:
    """Return the texts that somebody has to look at, or has."""
    return db.execute(REVIEWS, {"business": erasure.business_id, "erasure": erasure.id}).all()


def proved(db: Connection, erasure: ErasureSeen) -> Proved:
    """Return its receipts, with the whole chain of the business checked."""
    chain = [
        Receipt(business_id=erasure.business_id, **row._mapping)
        for row in db.execute(RECEIPTS, {"business": erasure.business_id})
    ]
    return Proved([each for each in chain if each.erasure_id == erasure.id], broken(chain))


def _seen(row: Any) -> ErasureSeen:
    told = dict(row._mapping)
    return ErasureSeen(**{**told, "state": ErasureState(told["state"])})
