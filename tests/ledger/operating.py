"""Groups of failed jobs, and the house's worker that applies operations to them, a batch at a time."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from jobs.registry import load
from ledger.claim import claim
from ledger.claimed import Claimed, Ended
from ledger.dispatch import dispatch, promote
from ledger.run import Runner
from models.operators import Role

GROUP = """
INSERT INTO ledger.jobs (id, kind, queue, priority, business_id, root_id, payload, unique_key, state, reason, fence,
                         attempt, max_attempts, run_at, give_up_at, enqueued_at, finished_at, fingerprint, failed_at)
SELECT new, :kind, 'walls', 2, :business, new, jsonb_build_object('wall_id', wall),
       CASE WHEN :kind = 'walls.paint'
            THEN ledger.key_of(:business, jsonb_build_object('wall_id', wall), ARRAY['wall_id']) END,
       :state, 'no_such_wall', 3, 1, 3, now() + interval '1 hour', now() + interval '1 day', now() - interval '1 hour',
       CASE WHEN :state = 'dead' THEN now() END, :fingerprint, now() - n * interval '1 ms'
FROM (SELECT n, nextval('ledger.jobs_id_seq') AS new, gen_random_uuid() AS wall FROM generate_series(1, :rows) n) g
RETURNING id
"""
FAILED = """
INSERT INTO ledger.attempts (job_id, business_id, kind, attempt, outcome, error_class, error_code, message, place,
                             fingerprint)
SELECT id, business_id, kind, 1, 'gave_up', 'GiveUp', 'no_such_wall', 'There is no such wall.',
       'jobs/walls/paint.py:7 call', fingerprint
FROM ledger.jobs WHERE id = ANY (:ids)
"""
PRINT = "0123456789abcdef"


def fail(
    ledger: Any,
    rows: int,
    *,
    state: str = "dead",
    kind: str = "walls.paint",
    fingerprint: str = PRINT,
    business: UUID | None = None,
) -> list[int]:
    """Write jobs that have failed alike, as the ledger leaves them; returns their ids."""
    with ledger.admin.begin() as db:
        given = {"kind": kind, "business": business or ledger.business, "state": state, "rows": rows}
        ids = sorted(db.execute(text(GROUP), {**given, "fingerprint": fingerprint}).scalars())
        db.execute(text(FAILED), {"ids": ids})
    return ids


@dataclass
class Upkeep:
    """A worker of the house's queue, with all kinds that there are."""

    ledger: Any
    me: UUID = field(default_factory=uuid4)
    told: list[Ended] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.registry = load()
        self.runner = Runner(self.registry, self.ledger.worker, None, tell=self.told.append)

    def claimed(self) -> list[Claimed]:
        """Claim what is due."""
        with self.ledger.worker.begin() as db:
            promote(db)
            tokens = [(job.id, job.fence) for job in dispatch(db, "upkeep", [100] * 4)]
        with self.ledger.worker.begin() as db:
            return claim(db, self.me, self.registry.kinds, [], tokens)

    def batch(self) -> int:
        """Run one batch of every operation that waits; returns of how many."""
        claimed = self.claimed()
        for job in claimed:
            self.runner.run(job)
        return len(claimed)

    def to_the_end(self) -> None:
        """Run until nothing waits any more."""
        for _ in range(1000):
            if not self.batch():
                return
        raise AssertionError("an operation has no end")


def operation(ledger: Any, operation_id: UUID) -> Any:
    """Return an operation's row."""
    with ledger.admin.begin() as db:
        return db.execute(text("SELECT * FROM ledger.operations WHERE id = :id"), {"id": operation_id}).one()


__all__ = ["PRINT", "Role", "Upkeep", "fail", "operation"]
