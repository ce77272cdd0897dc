"""privacy.erase: the rows that a confirmed erasure means go, a batch a transaction.

    fence   open jobs that name a row that will go are ended, so that none writes it again; tombstones are set
    rows    children before parents; what a row leaves in stores and at vendors is noted by the triggers of `remains`;
            after each batch jobs that were enqueued meanwhile and name a row that went are ended
    texts   other people's texts that name them are redacted; the business's own are put before somebody
    samples what the planner remembers of the tables is sampled anew; then the copies elsewhere have their turn

The fence remembers how far it came, for what it passes by stays; of a batch of rows is remembered which jobs may name,
until the next one has looked for such jobs. What is left is found again from the frozen scope: a kill costs one batch.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, true
from sqlalchemy.orm import Session

from jobs.copies.payloads import FOLLOWS, following
from jobs.privacy.fence import fence, forget, named
from jobs.privacy.payloads import EraseData, VerifyErasure
from jobs.privacy.rederive import rederive
from ledger import clock
from ledger.enqueue import enqueue
from ledger.job import cursor_job
from ledger.outcome import Again, Cancel
from lifecycle.erase import erase
from lifecycle.redact import redact
from models.erasures import Erasure, ErasureState
from models.traces import TO_DO, Remains

FORGET_STATISTICS = text("SELECT nexara.analyze_v1(CAST(:tables AS text[]))")
BATCH = 200
PATIENCE = 0.05
"""Seconds after which a transaction that has changed rows ends: they are locked as long."""


@cursor_job(EraseData)
def erase_data(db: Session, payload: EraseData, cursor: Mapping[str, Any] | None) -> Again | Cancel | None:
    """Do the next batch of the stage that the cursor names."""
    erasure = db.get(Erasure, payload.erasure_id)
    if erasure is None:
        return Cancel("no_such_erasure")
    if erasure.state is not ErasureState.ERASING:
        return Cancel("not_to_be_erased")
    # The triggers that note what a row leaves elsewhere say with it whose doing it was.
    db.execute(select(func.set_config("nexara.erasure", str(erasure.id), true())))
    if cursor is None or cursor["stage"] == "fence":
        place = fence(db, erasure, cursor)
        return Again({"stage": "fence", **place} if place else {"stage": "rows"}, doing="fence" if place else "rows")
    # In a transaction after that in which the rows went: whoever enqueued while they went has committed, or never will.
    forget(db, [UUID(each) for each in cursor.get("gone", ())])
    return STAGES[cursor["stage"]](db, erasure)


def _rows(db: Session, erasure: Erasure) -> Again:
    progress = erase(db, erasure, batch=BATCH, patience=PATIENCE)
    _count(erasure, progress.rows)
    rederive(db, progress.derived)
    stage = "rows" if progress.more else "texts"
    return Again({"stage": stage, "gone": [str(each) for each in named(progress.gone)]}, doing=stage)


def _texts(db: Session, erasure: Erasure) -> Again:
    # In a transaction of its own follows what takes long: what is redacted here is locked until this one ends.
    stage = "texts" if redact(db, erasure, batch=BATCH, patience=PATIENCE) else "samples"
    return Again({"stage": stage}, doing=stage)


def _samples(db: Session, erasure: Erasure) -> None:
    # What the planner remembers of columns are values of rows that are gone.
    db.execute(FORGET_STATISTICS, {"tables": sorted(erasure.counts)})
    erasure.state = ErasureState.PENDING
    erasure.erased_at = clock.now()
    db.flush()
    _follow_up(db, erasure)
    enqueue(db, VerifyErasure(erasure_id=erasure.id))


def _follow_up(db: Session, erasure: Erasure) -> None:
    """Have each store asked that has a copy; whoever has one that no job follows up is told by the sweep."""
    stores = select(Remains.store).where(Remains.erasure_id == erasure.id, Remains.state.in_(TO_DO)).distinct()
    for store in db.scalars(stores).all():
        if store in FOLLOWS:
            enqueue(db, following(store, erasure.business_id))


def _count(erasure: Erasure, rows: Mapping[str, int]) -> None:
    erasure.counts = dict(sorted((Counter(erasure.counts) + Counter(rows)).items()))


STAGES: Mapping[str, Callable[[Session, Erasure], Again | None]] = {
    "rows": _rows,
    "texts": _texts,
    "samples": _samples,
}
