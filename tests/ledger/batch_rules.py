"""The part of the state machine that opens, fills, seals and settles batches, and what must hold of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger import operate
from ledger.batch import Batch, open_batch
from ledger.dispatch import settle_batches
from tests.ledger.kinds import Count, Dry, Knock, Paint

WALLS = [UUID(int=n) for n in (1, 2, 3)]
BY_HAND = [operate.retry, operate.discard, operate.cancel]

# What is due to complete by the jobs themselves, whatever the ledger has noted of them.
THROUGH = """
SELECT b.id FROM ledger.batches b WHERE b.sealed_at IS NOT NULL AND b.completed_at IS NULL AND NOT EXISTS (
  SELECT FROM ledger.batch_members m JOIN ledger.jobs j ON j.id = m.job_id
  WHERE m.batch_id = b.id AND j.finished_at IS NULL)
"""
COUNTED = """
SELECT b.id, b.succeeded, b.dead, b.cancelled, b.discarded, count(*) FILTER (WHERE j.state = 'succeeded'),
       count(*) FILTER (WHERE j.state = 'dead'), count(*) FILTER (WHERE j.state = 'cancelled'),
       count(*) FILTER (WHERE j.state = 'discarded')
FROM ledger.batches b LEFT JOIN ledger.batch_members m ON m.batch_id = b.id LEFT JOIN ledger.jobs j ON j.id = m.job_id
WHERE b.completed_at IS NOT NULL GROUP BY b.id
"""
UNTRUE = """
SELECT count(*) FROM ledger.batch_members m JOIN ledger.jobs j ON j.id = m.job_id
WHERE m.state IS DISTINCT FROM CASE WHEN j.finished_at IS NOT NULL THEN j.state END
"""
FOLLOWED = """
SELECT b.id, b.completed_at IS NOT NULL, b.dead, (f.job_id IS NOT NULL)::int,
       (SELECT count(*) FROM ledger.jobs j WHERE j.kind = f.kind AND j.payload = f.payload)
FROM ledger.batches b JOIN ledger.batch_follow_ups f ON f.batch_id = b.id AND f.cue = 'then'
"""


class BatchRules(RuleBasedStateMachine):
    """Batches of jobs that others end in whatever way."""

    ledger: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.enqueued: set[int] = set()
        self.filling: list[UUID] = []

    @rule(walls=st.lists(st.sampled_from(WALLS), max_size=3), kind=st.sampled_from([Paint, Count, Knock]))
    def open_batch(self, walls: list[UUID], kind: type[Any]) -> None:
        """Open a batch of new jobs and of open ones; what follows it is told apart by its wall."""
        with self._web() as db:
            batch = open_batch(db, then=Dry(wall_id=uuid4()))
            self.enqueued |= {batch.enqueue(kind(wall_id=wall)) for wall in walls}
        self.filling.append(batch.id)

    @precondition(lambda self: self.filling)
    @rule(data=st.data(), wall=st.sampled_from(WALLS), kind=st.sampled_from([Paint, Count, Knock]))
    def fill_batch(self, data: Any, wall: UUID, kind: type[Any]) -> None:
        with self._web() as db:
            self.enqueued.add(Batch(db, data.draw(st.sampled_from(self.filling))).enqueue(kind(wall_id=wall)))

    @precondition(lambda self: self.filling)
    @rule(data=st.data())
    def seal_batch(self, data: Any) -> None:
        self.seal(data.draw(st.sampled_from(self.filling)))

    def seal(self, batch: UUID) -> None:
        self.filling.remove(batch)
        with self._web() as db:
            Batch(db, batch).seal()

    @rule(data=st.data(), acts=st.lists(st.sampled_from(BY_HAND), min_size=1, max_size=3), settled=st.booleans())
    def operator_on_a_member(self, data: Any, acts: list[Any], settled: bool) -> None:
        """End and reopen a job of a batch by hand; what is noted of it is taken up in between, or together later."""
        with self.ledger.admin.begin() as db:
            ids = db.execute(text("SELECT DISTINCT job_id FROM ledger.batch_members ORDER BY 1")).scalars().all()
        job_id = data.draw(st.sampled_from(ids))
        for act in acts:
            self._operate(act, job_id)
            if settled:
                self.settle_batches()

    @rule()
    def settle_batches(self) -> None:
        """Take up all that ended: exactly the batches that are through complete, and each counts what its jobs are."""
        with self.ledger.admin.begin() as db:
            through = set(db.execute(text(THROUGH)).scalars())
            complete = set(db.execute(text("SELECT id FROM ledger.batches WHERE completed_at IS NOT NULL")).scalars())
        for _ in range(50):
            with self.ledger.worker.begin() as db:
                if not settle_batches(db, most=1):
                    break
        with self.ledger.admin.begin() as db:
            now = db.execute(text("SELECT id FROM ledger.batches WHERE completed_at IS NOT NULL")).scalars()
            assert set(now) == complete | through
            assert db.execute(text(UNTRUE)).scalar() == 0
            for row in db.execute(text(COUNTED)):
                assert row[1:5] == row[5:9], row

    @invariant()
    def what_follows_a_batch_follows_once(self) -> None:
        with self.ledger.admin.begin() as db:
            for batch, complete, _, told, made in db.execute(text(FOLLOWED)):
                assert (told, made) == (int(complete), int(complete)), batch

    def _web(self) -> Any:
        @contextmanager
        def acting() -> Iterator[Session]:
            with Session(self.ledger.web) as db, db.begin():
                db.execute(text("SELECT nexara.act_for(:id)"), {"id": self.ledger.business})
                yield db

        return acting()

    def _operate(self, act: Any, job_id: int) -> None:
        try:
            with self.ledger.admin.begin() as db:
                act(db, job_id)
        except operate.Refused:
            pass

    def every_batch_completes(self) -> None:
        """Once each job has ended, so does each batch."""
        for batch in list(self.filling):
            self.seal(batch)
        self.settle_batches()
        assert self.ledger.sql("SELECT count(*) FROM ledger.batches WHERE completed_at IS NULL") == 0
        self.what_follows_a_batch_follows_once()
