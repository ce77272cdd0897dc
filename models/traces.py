"""What is left to follow up: copies outside our tables that must still go, and which text names whom."""

from enum import StrEnum

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NOW, TenantRow, link
from models.data_map import Because, Category, Delete, Expires, Finds, Keep, Life, Matching, May, WithParent
from models.forms import code
from models.kinds import Count, Id, KeyedDigest, Moment, Needle, RemainsRef, Word
from models.periods import REMAINS


class RemainsState(StrEnum):
    """Where a copy's deletion stands. What is not `confirmed`, `lapses` or `contract` is still to be done."""

    PLANNED = "planned"  # nobody has been asked yet
    SENT = "sent"  # asked, and read back as still there
    ACCEPTED = "accepted"  # the vendor will delete it by and by
    CONFIRMED = "confirmed"  # read back as gone
    LAPSES = "lapses"  # what the vendor still has goes by itself, at `lapses_at`
    CONTRACT = "contract"  # no call deletes it; the vendor's contract does
    BLOCKED = "blocked"  # refused for now: `reason` says why, `retry_at` when it is asked again
    MANUAL = "manual"  # somebody has to do it by hand


TO_DO = (RemainsState.PLANNED, RemainsState.SENT, RemainsState.ACCEPTED, RemainsState.BLOCKED)
"""The states in which a vendor is asked again."""


KEPT = Keep(
    because=Because.LEGAL,
    only=(
        *("store", "what", "ref", "digest", "state", "reason", "tries", "erasure_id"),
        *("made_at", "retry_at", "lapses_at", "confirmed_at"),
    ),
    until="45 days after the store confirmed that the copy is gone",
)


class Remains(TenantRow):
    """A copy in a store or at a vendor whose row is gone; confirmed gone, only a digest of its id stays.

    `confirmed_at` is when that was read back; of what lapses, when it has.
    """

    __tablename__ = "remains"
    __table_args__ = (
        Index(
            "ix_remains_to_do",
            "business_id",
            "retry_at",
            postgresql_where=text("state IN ('planned', 'sent', 'accepted', 'blocked')"),
        ),
        # The house asks of all businesses at once who has copies to follow up.
        Index(
            "remains_due",
            "retry_at",
            postgresql_where=text("state IN ('planned', 'sent', 'accepted', 'blocked')"),
        ),
        # Those that wait for somebody are few, and asked for whenever somebody looks.
        Index("remains_by_hand", "business_id", "erasure_id", postgresql_where=text("state = 'manual'")),
        link("erasure_id", "erasures", unlink=True),
    )
    __life__ = Life(
        category=Category.ENGINE,
        links=(Matching(column="ref", finds=Finds.VALUE, then=(KEPT,)),),
        after_cancellation=(KEPT,),
        ends=Expires(after=REMAINS, since="confirmed_at"),
        restricted="shown",
    )
    # The triggers that write these rows belong to nexara_scribe: models/guards/leave.sql.
    __web__ = ()
    __job__ = (May.READ, May.CHANGE, May.REMOVE)

    store: Mapped[Word]
    what: Mapped[Word]
    ref: Mapped[RemainsRef | None]
    digest: Mapped[KeyedDigest | None]
    state: Mapped[RemainsState] = code(RemainsState, server_default=text("'planned'"))
    reason: Mapped[Word | None]
    erasure_id: Mapped[Id | None]
    tries: Mapped[Count] = mapped_column(server_default=text("0"))
    made_at: Mapped[Moment] = mapped_column(server_default=NOW)
    retry_at: Mapped[Moment | None]
    lapses_at: Mapped[Moment | None]
    confirmed_at: Mapped[Moment | None]


class Mention(TenantRow):
    """A number or address that a row's text names: a person is found without reading every text."""

    __tablename__ = "mentions"
    __table_args__ = (Index(None, "business_id", "row_id"), Index(None, "business_id", "needle"))
    __life__ = Life(
        category=Category.ENGINE,
        links=(Matching(column="needle", finds=Finds.TEXT, then=(Delete(),)),),
        after_cancellation=(Delete(),),
        ends=WithParent(),
    )
    # The triggers that write these rows belong to nexara_scribe, too; a job takes away those of a whole business.
    __web__ = ()
    __job__ = (May.READ, May.REMOVE)

    needle: Mapped[Needle]
    source: Mapped[Word]
    row_id: Mapped[Id]
