"""Invoices and quotes that a business writes to its own customers."""

from enum import StrEnum

from sqlalchemy import UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NOW, TenantRow, link
from models.data_map import (
    About,
    Because,
    Category,
    Delete,
    Keep,
    Life,
    Through,
    Unlink,
    WhileActive,
    WithParent,
)
from models.forms import code
from models.kinds import Count, Currency, Id, Moment, Money, PersonalText, Quantity, Word

DRAFT = "issued_at IS NULL"
ISSUED = "issued_at IS NOT NULL"
STATUTORY = ("number", "billed_to", "currency", "total", "issued_at")


class Payment(StrEnum):
    """Where an invoice is."""

    DRAFT = "draft"
    ISSUED = "issued"
    PAID = "paid"
    VOID = "void"


class Offer(StrEnum):
    """Where a quote is."""

    DRAFT = "draft"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"


def paper(only: tuple[str, ...]) -> Life:
    """Say what becomes of a paper: a draft goes, an issued one stays while the tenant must keep it."""
    kept = Keep(because=Because.CONTROLLER, only=only, until="the country's period for invoices", when=ISSUED)
    return Life(
        category=Category.BUSINESS,
        links=(About(column="person_id", then=(Delete(when=DRAFT), kept, Unlink())),),
        after_cancellation=(Delete(),),
        ends=WhileActive(),
        event_time="created_at",
    )


class Invoice(TenantRow):
    """An invoice of the business to a person."""

    __tablename__ = "invoices"
    __table_args__ = (link("person_id", "people", unlink=True), UniqueConstraint("business_id", "number"))
    __life__ = paper(STATUTORY)

    person_id: Mapped[Id | None]
    number: Mapped[Word | None]
    billed_to: Mapped[PersonalText | None]
    state: Mapped[Payment] = code(Payment, server_default=text("'draft'"))
    currency: Mapped[Currency]
    total: Mapped[Money]
    issued_at: Mapped[Moment | None]
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)


class InvoiceLine(TenantRow):
    """One line of an invoice."""

    __tablename__ = "invoice_lines"
    __table_args__ = (link("invoice_id", "invoices"),)
    __life__ = Life(
        category=Category.BUSINESS,
        links=(Through(column="invoice_id"),),
        after_cancellation=(Delete(),),
        ends=WithParent(),
    )

    invoice_id: Mapped[Id]
    place: Mapped[Count]
    text: Mapped[PersonalText]
    quantity: Mapped[Quantity]
    price: Mapped[Money]


class Quote(TenantRow):
    """A price that the business offered a person."""

    __tablename__ = "quotes"
    __table_args__ = (link("person_id", "people", unlink=True), UniqueConstraint("business_id", "number"))
    __life__ = paper(STATUTORY)

    person_id: Mapped[Id | None]
    number: Mapped[Word | None]
    billed_to: Mapped[PersonalText | None]
    state: Mapped[Offer] = code(Offer, server_default=text("'draft'"))
    currency: Mapped[Currency]
    total: Mapped[Money]
    issued_at: Mapped[Moment | None]
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)


class QuoteLine(TenantRow):
    """One line of a quote."""

    __tablename__ = "quote_lines"
    __table_args__ = (link("quote_id", "quotes"),)
    __life__ = Life(
        category=Category.BUSINESS,
        links=(Through(column="quote_id"),),
        after_cancellation=(Delete(),),
        ends=WithParent(),
    )

    quote_id: Mapped[Id]
    place: Mapped[Count]
    text: Mapped[PersonalText]
    quantity: Mapped[Quantity]
    price: Mapped[Money]
