"""Receipts are chained in the order in which they are written, whoever began first."""

from uuid import uuid4

from sqlalchemy import select, text

from lifecycle.receipt import broken, chained
from models.erasures import Erasure, Origin, Receipt, Scope


def receive(db, business) -> None:
    """Write a receipt as the verification does, which lets one of a business at a time do so."""
    erasure = Erasure(id=uuid4(), business_id=business, scope=Scope.PERSON, origin=Origin.REQUEST)
    db.add(erasure)
    db.flush()
    previous = db.scalar(select(Receipt.hash).order_by(Receipt.made_at.desc(), Receipt.id).limit(1))
    db.add(chained({"any": "thing"}, erasure=erasure, catalog=[], previous=previous))
    db.flush()


def test_the_chain_holds_though_whoever_began_first_is_the_last_to_write(desk):
    with desk.job() as first:
        first.scalar(text("SELECT now()"))
        for _ in range(2):
            with desk.job() as later:
                receive(later, desk.business)
        receive(first, desk.business)
    with desk.job() as db:
        written = db.scalars(select(Receipt).order_by(Receipt.made_at, Receipt.id)).all()
        assert (len(written), broken(written)) == (3, [])
