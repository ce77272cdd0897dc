"""What is to be erased, whom it was found to mean, what a person must still look at, and the proof of it."""

from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NOW, TenantRow, link
from models.data_map import (
    Because,
    Category,
    Delete,
    Expires,
    Finds,
    Keep,
    Life,
    Matching,
    May,
    NoOne,
    Through,
    WithParent,
)
from models.forms import code
from models.kinds import Digest, Flag, Id, MapEntry, Moment, Word
from models.kinds import Identifier as IdentifierValue
from models.periods import RECEIPTS


class Scope(StrEnum):
    """What an erasure is of."""

    BUSINESS = "business"
    PERSON = "person"  # everything, the address book included
    COMMUNICATIONS = "communications"  # a person's calls and messages, and what was made of them
    RECORDING = "recording"  # one recording, and what was made of it; its call stays
    MEMBER = "member"
    VISITOR = "visitor"


class Origin(StrEnum):
    """Why it is erased."""

    REQUEST = "request"
    DASHBOARD = "dashboard"
    RETENTION = "retention"


class ErasureState(StrEnum):
    """How far an erasure is; it is completed only when every copy has been read back as gone or has lapsed."""

    RESOLVING = "resolving"  # whom it means waits to be confirmed
    CONFIRMED = "confirmed"  # and is frozen
    ERASING = "erasing"
    PENDING = "pending"  # the rows are gone; copies or reviews are not
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"  # before it was confirmed


class Evidence(StrEnum):
    """How a row was found to be of whom the erasure means."""

    ASKED = "asked"
    IDENTIFIER = "identifier"
    MERGED = "merged"
    OWN = "own"  # an identifier of a person who is meant


class Decision(StrEnum):
    """Whether a row belongs to what is meant."""

    INCLUDE = "include"
    EXCLUDE = "exclude"
    REVIEW = "review"  # somebody has to decide


class ReviewState(StrEnum):
    """What was decided about a text that a machine could not."""

    OPEN = "open"
    REDACTED = "redacted"
    CLEARED = "cleared"  # it names somebody else, or nobody


OPAQUE = "it holds opaque ids, codes and times"
ASKED = "asked"
"""The `source` of a row of a scope that holds what was asked for, as it was typed, until it is resolved."""


class Erasure(TenantRow):
    """One erasure: of what, why, how far; its root's id names nothing once the row is gone."""

    __tablename__ = "erasures"
    __table_args__ = (
        Index(
            "erasures_open", "business_id", "asked_at", postgresql_where=text("state NOT IN ('completed', 'withdrawn')")
        ),
    )
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because=OPAQUE),),
        after_cancellation=(
            Keep(
                because=Because.LEGAL,
                only=(
                    *("scope", "root_id", "origin", "replayed", "state", "asked_by", "reason", "plan", "counts"),
                    "fingerprint",
                    *("asked_at", "confirmed_at", "erased_at", "completed_at"),
                ),
                until="3 years after it was completed",
            ),
        ),
        ends=Expires(after=RECEIPTS, since="completed_at"),
        restricted="shown",
    )
    __web__ = (May.READ,)

    scope: Mapped[Scope] = code(Scope)
    root_id: Mapped[Id | None]
    origin: Mapped[Origin] = code(Origin)
    replayed: Mapped[Flag] = mapped_column(server_default=text("false"))  # a restored backup had it again
    state: Mapped[ErasureState] = code(ErasureState, server_default=text("'resolving'"))
    asked_by: Mapped[Id | None]
    reason: Mapped[Word | None]
    plan: Mapped[MapEntry] = mapped_column(server_default=text("'{}'"))
    counts: Mapped[MapEntry] = mapped_column(server_default=text("'{}'"))
    fingerprint: Mapped[Digest | None]
    asked_at: Mapped[Moment] = mapped_column(server_default=NOW)
    confirmed_at: Mapped[Moment | None]
    erased_at: Mapped[Moment | None]
    completed_at: Mapped[Moment | None]


class ErasureScope(TenantRow):
    """One row that an erasure was found to mean; frozen once confirmed, gone once it is completed."""

    __tablename__ = "erasure_scope"
    __table_args__ = (link("erasure_id", "erasures"), UniqueConstraint("business_id", "erasure_id", "row_id"))
    __life__ = Life(
        category=Category.ENGINE,
        # It is what an erasure is done by, so no erasure takes it away before it is done.
        links=(Matching(column="value", finds=Finds.VALUE, then=(Delete(),)), Through(column="erasure_id")),
        after_cancellation=(Delete(),),
        ends=WithParent(),
        restricted="shown",
    )
    __web__ = (May.READ,)

    erasure_id: Mapped[Id]
    source: Mapped[Word]
    row_id: Mapped[Id]
    value: Mapped[IdentifierValue | None] = mapped_column(info={"of": "value"})
    evidence: Mapped[Evidence] = code(Evidence)
    decision: Mapped[Decision] = code(Decision)
    shared: Mapped[Flag] = mapped_column(server_default=text("false"))
    decided_by: Mapped[Id | None]
    found_at: Mapped[Moment] = mapped_column(server_default=NOW)


class Review(TenantRow):
    """A text that may name whom an erasure means, and that no machine may change; open, it blocks completion."""

    __tablename__ = "reviews"
    __table_args__ = (
        link("erasure_id", "erasures"),
        UniqueConstraint("business_id", "erasure_id", "row_id", "field"),
    )
    __life__ = Life(
        category=Category.ENGINE,
        links=(Through(column="erasure_id"),),
        after_cancellation=(Delete(),),
        ends=WithParent(),
        restricted="shown",
    )
    __web__ = (May.READ,)

    erasure_id: Mapped[Id]
    source: Mapped[Word]
    row_id: Mapped[Id]
    field: Mapped[Word]
    state: Mapped[ReviewState] = code(ReviewState, server_default=text("'open'"))
    decided_by: Mapped[Id | None]
    decided_at: Mapped[Moment | None]
    made_at: Mapped[Moment] = mapped_column(server_default=NOW)


class Receipt(TenantRow):
    """What an erasure did: counts, what was kept and why, what lapses when; chained by hash, without an identifier."""

    __tablename__ = "receipts"
    __table_args__ = (
        link("erasure_id", "erasures"),
        # An erasure that was replayed has one for each time that it was completed.
        UniqueConstraint("business_id", "hash"),
    )
    __life__ = Life(
        category=Category.ENGINE,
        links=(Through(column="erasure_id"),),
        after_cancellation=(
            Keep(
                because=Because.LEGAL,
                only=("erasure_id", "body", "map", "catalog", "previous", "hash", "made_at"),
                until="3 years after it was made",
            ),
        ),
        ends=WithParent(),
        restricted="shown",
    )
    __web__ = (May.READ,)
    __job__ = (May.READ, May.ADD, May.REMOVE)

    erasure_id: Mapped[Id]
    body: Mapped[MapEntry]
    map: Mapped[Digest]
    catalog: Mapped[Digest]
    previous: Mapped[Digest | None]
    hash: Mapped[Digest]
    made_at: Mapped[Moment] = mapped_column(server_default=NOW)
