"""What a business has at vendors and at us: numbers, a connected calendar, keys to our API."""

from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.answers import at_in
from models.base import NOW, TenantRow, link
from models.calls import Carrier
from models.data_map import About, Category, Delete, Life, NoOne, Revoke, Unlink, WhileActive, Who
from models.forms import code
from models.kinds import Digest, Id, LineNumber, LineRef, Moment, SealedToken, WordList


class Connects(StrEnum):
    """The vendors a business may connect."""

    GOOGLE = "google"


class PhoneLine(TenantRow):
    """A telephone number that the business rents through us."""

    __tablename__ = "phone_lines"
    __table_args__ = (UniqueConstraint("business_id", "number"),)
    __life__ = Life(
        category=Category.BUSINESS,
        links=(NoOne(because="it is the business's own number"),),
        after_cancellation=(Delete(),),
        ends=WhileActive(),
    )

    number: Mapped[LineNumber]
    carrier: Mapped[Carrier | None] = code(Carrier)
    ref: Mapped[LineRef | None] = mapped_column(info=at_in("carrier", "number"))
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)


class Integration(TenantRow):
    """A calendar that a member connected, and the token with which we may write in it.

    Gone, the row leaves its access in remains: what is in the calendar goes by it first, then the access itself.
    """

    __tablename__ = "integrations"
    __table_args__ = (link("member_id", "members"),)
    __life__ = Life(
        category=Category.BUSINESS,
        links=(About(column="member_id", who=Who.MEMBER, then=(Revoke(at="vendor"), Delete())),),
        after_cancellation=(Revoke(at="vendor"), Delete()),
        ends=WhileActive(),
    )

    member_id: Mapped[Id]
    vendor: Mapped[Connects] = code(Connects)
    token: Mapped[SealedToken | None] = mapped_column(info=at_in("vendor", "access"))
    scopes: Mapped[WordList]
    connected_at: Mapped[Moment] = mapped_column(server_default=NOW)


class ApiKey(TenantRow):
    """A key to our API; we keep its digest alone."""

    __tablename__ = "api_keys"
    __table_args__ = (link("created_by", "members", unlink=True), UniqueConstraint("business_id", "hash"))
    __life__ = Life(
        category=Category.ACCOUNT,
        links=(About(column="created_by", who=Who.MEMBER, then=(Unlink(),)),),
        after_cancellation=(Delete(),),
        ends=WhileActive(),
    )

    hash: Mapped[Digest]
    created_by: Mapped[Id | None]
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)
    last_used_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]
