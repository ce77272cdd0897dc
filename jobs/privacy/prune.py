"""privacy.prune: an entry of the journal ends when the last backup has that may hold what it erased, and a week later.

The day on which an erasure was completed counts, and of one that the database knows no more, when it was confirmed.
What is not completed keeps its entry, however long that takes.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from jobs.privacy.payloads import PruneJournal
from ledger import clock
from ledger.errors import GiveUp
from ledger.job import vendor_job
from ledger.outcome import Cancel
from lifecycle.deadlines import read
from lifecycle.journal import PREFIX, SPARE, Entry, erasure_of
from providers.s3 import Objects
from providers.vendors import Vendors

STAYS = text("SELECT nexara.journal_stays_v1(:before)")
SCOPE = text("SELECT nexara.scope()")
HOUSE = UUID(int=0)
MOST = 500
"""Entries that one run deletes at most; the rest goes the night after."""


@dataclass(frozen=True, slots=True)
class Old:
    """What was confirmed before this moment ends, but for the entries of these erasures."""

    before: datetime
    stays: frozenset[UUID]


@vendor_job(PruneJournal)
class Prune:
    """Delete the entries whose time is over, every version of each."""

    def load(self, db: Session, payload: PruneJournal) -> Old | Cancel:
        """Find out whose time is not; a tenant's job sees no other's erasures, and would take them to be over."""
        if db.scalar(SCOPE) != HOUSE:
            return Cancel("not_of_the_house")
        before = min(payload.as_of, clock.now()) - read(db).backups - SPARE
        return Old(before, frozenset(db.scalars(STAYS, {"before": before})))

    def call(self, given: Old, vendors: Vendors) -> int:
        """Delete them; return how many."""
        keys = sorted({each.key for each in vendors.objects.held(PREFIX)})
        over = [
            key for key in keys if erasure_of(key) not in given.stays and _is_over(vendors.objects, key, given.before)
        ][:MOST]
        for key in over:
            vendors.objects.delete(key)
        return len(over)

    def save(self, db: Session, payload: PruneJournal, answer: int) -> None:
        """Nothing: that the job succeeded says that they are gone."""


def _is_over(objects: Objects, key: str, before: datetime) -> bool:
    """Return whether an entry was confirmed so long ago; what is hidden or left unfinished says nothing any more."""
    try:
        return Entry.model_validate_json(objects.get(key)).confirmed_at < before
    except ValueError:
        return False  # none of ours: `nexara privacy replay` tells of it
    except GiveUp as missing:
        if missing.code != "object_missing":
            raise
        return True
