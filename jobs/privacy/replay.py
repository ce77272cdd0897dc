"""privacy.replay: what a restored backup has again is erased again, as the journal outside it says."""

from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from jobs.privacy.payloads import EraseData, ReplayErasure
from ledger.enqueue import enqueue
from ledger.errors import GiveUp
from ledger.job import vendor_job
from ledger.outcome import Cancel
from lifecycle.journal import Entry, key_of, scope_of
from lifecycle.stones import put_back as put_back_stones
from models.accounts import Business
from models.entries import entries, fingerprint
from models.erasures import Erasure, ErasureScope, ErasureState
from providers.vendors import Vendors


@vendor_job(ReplayErasure)
class Replay:
    """Confirm one erasure of the journal anew."""

    def load(self, db: Session, payload: ReplayErasure) -> str | Cancel:
        """Say where its entry lies."""
        business_id = db.query(Business.id).scalar()
        return key_of(business_id, payload.erasure_id) if business_id else Cancel("no_such_business")

    def call(self, given: str, vendors: Vendors) -> Entry:
        """Read the entry."""
        try:
            return Entry.model_validate_json(vendors.objects.get(given))
        except ValueError:
            raise GiveUp("entry_malformed", "The journal's entry is none.") from None
        except GiveUp as missing:
            if missing.code != "object_missing":
                raise
        raise GiveUp("entry_gone", "The journal has this erasure no more: no backup is kept for so long.")

    def save(self, db: Session, payload: ReplayErasure, answer: Entry) -> Cancel | None:
        """Put the erasure back as it was confirmed, whatever the backup says of it, and begin it."""
        erasure_id = payload.erasure_id
        if answer.erasure_id != erasure_id:
            return Cancel("entry_of_another")
        fresh: dict[str, Any] = {
            "state": ErasureState.RESOLVING,
            "origin": answer.origin,
            "replayed": True,
            "counts": {},
            "confirmed_at": None,
            "erased_at": None,
            "completed_at": None,
        }
        put_back = insert(Erasure).values(
            id=erasure_id, business_id=answer.business_id, scope=answer.scope, root_id=answer.root_id, **fresh
        )
        db.execute(put_back.on_conflict_do_update(index_elements=["business_id", "id"], set_=fresh))
        db.execute(delete(ErasureScope).where(ErasureScope.erasure_id == erasure_id))
        db.add_all(list(scope_of(db, answer)))
        # What the backup has not, such as calls that are younger than it, stays out all the same.
        put_back_stones(db, answer.business_id, answer.stones)
        db.flush()
        erasure = db.get_one(Erasure, erasure_id)
        erasure.state = ErasureState.CONFIRMED
        erasure.confirmed_at = answer.confirmed_at
        erasure.fingerprint = fingerprint(entries())
        db.flush()
        # It is recorded: written anew from this backup, the entry would forget what an older one has.
        erasure.state = ErasureState.ERASING
        enqueue(db, EraseData(erasure_id=erasure_id))
        return None
