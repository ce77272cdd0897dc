"""privacy.deposit: a receipt is stored outside the database too, where a change of the database does not reach it."""

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.privacy.payloads import DepositReceipt
from ledger.job import vendor_job
from ledger.outcome import Cancel
from models.erasures import Receipt
from providers.vendors import Vendors

PREFIX = "receipts/"


@vendor_job(DepositReceipt)
class Deposit:
    """Store one receipt."""

    def load(self, db: Session, payload: DepositReceipt) -> dict[str, Any] | Cancel:
        """Read it."""
        of_it = select(Receipt).where(Receipt.erasure_id == payload.erasure_id)
        found = db.scalar(of_it.order_by(Receipt.made_at.desc(), Receipt.id).limit(1))
        if found is None:
            return Cancel("no_receipt")
        return told(found)

    def call(self, given: dict[str, Any], vendors: Vendors) -> str:
        """Write it; the same receipt again changes nothing."""
        key = f"{PREFIX}{given['business_id']}/{given['erasure_id']}/{given['hash']}.json"
        vendors.objects.put(key, json.dumps(given, sort_keys=True).encode(), "application/json")
        return key

    def save(self, db: Session, payload: DepositReceipt, answer: str) -> Cancel | None:
        """Nothing: that the job succeeded says that it lies there."""


def told(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt as JSON."""
    return {
        "business_id": str(receipt.business_id),
        "erasure_id": str(receipt.erasure_id),
        "body": receipt.body,
        "map": receipt.map,
        "catalog": receipt.catalog,
        "previous": receipt.previous,
        "hash": receipt.hash,
        "made_at": receipt.made_at.isoformat(),
    }
