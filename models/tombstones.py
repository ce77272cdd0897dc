"""What must not come back: digests of what was erased, and the salt that they are keyed with."""

from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NOW, TenantRow
from models.data_map import Because, Category, Delete, Expires, Finds, Keep, Life, Matching, May, NoOne, WhileActive
from models.forms import code
from models.kinds import KeyedDigest, Moment, Secret
from models.periods import TOMBSTONES


class Stone(StrEnum):
    """What a tombstone stands on."""

    EVENT = "event"  # a vendor's event, by its event_key: it never comes back, whatever its time
    IDENTIFIER = "identifier"  # a number or address: nothing of before the erasure comes back


class Tombstone(TenantRow):
    """A digest of what was erased, for as long as vendors may still send it."""

    __tablename__ = "tombstones"
    __table_args__ = (
        UniqueConstraint("business_id", "digest"),
        Index("tombstones_by_age", "made_at"),
    )
    __life__ = Life(
        category=Category.ENGINE,
        links=(
            Matching(
                column="digest",
                finds=Finds.VALUE,
                then=(
                    Keep(
                        because=Because.LEGAL,
                        only=("digest", "sort", "event_before", "made_at"),
                        until="45 days after the erasure",
                    ),
                ),
            ),
        ),
        after_cancellation=(Delete(),),
        ends=Expires(after=TOMBSTONES, since="made_at"),
        restricted="shown",
    )
    __web__ = ()
    __job__ = (May.READ, May.ADD, May.CHANGE, May.REMOVE)

    digest: Mapped[KeyedDigest]
    sort: Mapped[Stone] = code(Stone)
    event_before: Mapped[Moment | None]
    made_at: Mapped[Moment] = mapped_column(server_default=NOW)


class Salt(TenantRow):
    """The secret with which a business's identifiers are digested; gone, its digests say nothing any more."""

    __tablename__ = "salts"
    __table_args__ = (UniqueConstraint("business_id"),)
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it is a random number"),),
        after_cancellation=(Delete(),),
        ends=WhileActive(),
        restricted="shown",
    )
    __web__ = ()
    __job__ = (May.READ, May.ADD, May.REMOVE)

    secret: Mapped[Secret]
    made_at: Mapped[Moment] = mapped_column(server_default=NOW)
