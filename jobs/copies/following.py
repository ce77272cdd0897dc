"""How copies that lie elsewhere are followed up, for every vendor alike: what is due, and what becomes of its row."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from jobs.copies.asking import Copies, Copy, Followed, Stands
from ledger import clock
from ledger.enqueue import enqueue
from ledger.outcome import Known
from ledger.payload import Payload
from models.elsewhere import lapses_within
from models.traces import TO_DO, Remains, RemainsState

SOON = timedelta(minutes=10)
"""What is due within so long is followed up by the job's own successor; later, the sweep finds it."""
PUT_OFF = timedelta(hours=1)
"""How long copies wait whose job died: the vendor was down for all its attempts."""
STUMBLED_OVER = 3
"""How many of those are put behind the others, since one of them may be why."""


class Keeping:
    """The rows of one business's copies in one store, read and written; each vendor's job is one of these."""

    store: ClassVar[str]
    """The store, by the name that remains give it."""
    most: ClassVar[int] = 50
    """Copies that one job asks for at most."""
    pause: ClassVar[timedelta] = timedelta(0)
    """How long the vendor is left alone after a job that has left some unasked."""
    keeps_digest: ClassVar[bool] = True
    """Whether a digest proves later what was deleted: of an address it would tell the address."""

    def due(self, db: Session) -> Copies:
        """Return the copies to ask for now, those first that were looked at least."""
        rows = db.scalars(
            select(Remains).where(*self._due()).order_by(Remains.tries, Remains.retry_at, Remains.id).limit(self.most)
        )
        return tuple(
            Copy(row.id, row.what, row.ref or "", row.state is RemainsState.ACCEPTED, row.tries) for row in rows
        )

    def save(self, db: Session, payload: Payload, answer: Followed) -> None:
        """Write how each copy stands; what is due soon is followed up by a job of the same kind."""
        stands = {each.id: each for each in answer.stands}
        rows = db.scalars(select(Remains).where(Remains.id.in_(list(stands)), *self._mine()).with_for_update())
        for row in rows.all():
            self._write(db, row, stands[row.id])
        db.flush()
        following = db.scalar(select(func.min(func.coalesce(Remains.retry_at, func.now()))).where(*self._mine()))
        if following is None:
            return
        earliest = max(filter(None, (following, answer.rest_until, self._not_before(stands, following))))
        if earliest < clock.now() + max(SOON, self.pause):
            enqueue(db, payload, run_at=earliest)

    def otherwise(self, db: Session, payload: Payload) -> None:  # noqa: ARG002 - the transaction is of the business
        """Put off what is due: nothing is forgotten, and nothing asks a vendor that is down every ten minutes."""
        later = clock.now() + PUT_OFF
        stumbled = [copy.id for copy in self.due(db)][:STUMBLED_OVER]
        self._set(db, (Remains.id.in_(stumbled),), tries=Remains.tries + 1)
        for state in (RemainsState.PLANNED, RemainsState.SENT):
            self._set(db, (*self._due(), Remains.state == state), state=RemainsState.BLOCKED, reason="job_ended")
        self._set(db, self._due(), retry_at=later)

    @staticmethod
    def _set(db: Session, where: tuple[ColumnElement[bool], ...], **values: Any) -> None:
        db.execute(update(Remains).where(*where).values(**values).execution_options(synchronize_session=False))

    def _write(self, db: Session, row: Remains, stands: Stands) -> None:  # noqa: ARG002 - for a store that does more
        now = clock.now()
        row.state, row.reason, row.retry_at = stands.state, stands.reason, stands.retry_at
        row.tries += 1
        if stands.state is RemainsState.LAPSES:
            row.lapses_at = stands.lapses_at or self._lapses_by(now)
            row.confirmed_at = row.lapses_at
            if row.lapses_at is None:
                row.state, row.reason = RemainsState.MANUAL, "lapses_at_unknown"
        elif stands.state is RemainsState.CONFIRMED:
            row.confirmed_at = now
        if row.state in (RemainsState.CONFIRMED, RemainsState.LAPSES):
            if row.ref and self.keeps_digest:
                row.digest = hashlib.sha256(row.ref.encode()).hexdigest()
            row.ref = None

    def _lapses_by(self, now: datetime) -> datetime | None:
        within = lapses_within(self.store)
        return now + within if within else None

    def _not_before(self, asked: dict[UUID, Any], following: datetime) -> datetime | None:
        """Return when a vendor that takes only so many is asked for the next."""
        return clock.now() + self.pause if self.pause and len(asked) >= self.most else following

    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        """Say which rows are still to do in this store; whose, the transaction says."""
        return Remains.store == self.store, Remains.state.in_(TO_DO)

    def _due(self) -> tuple[ColumnElement[bool], ...]:
        return *self._mine(), or_(Remains.retry_at.is_(None), Remains.retry_at <= func.now())


class Following(Keeping):
    """A vendor that needs no more than the copies themselves to be asked for them."""

    def load(self, db: Session, payload: Payload) -> Copies | Known[Followed]:  # noqa: ARG002 - as above
        """Find what is due; nobody is asked for nothing."""
        return self.due(db) or Known(Followed())
