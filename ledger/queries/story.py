"""One job whole: its attempts, and the chain of jobs that came of the same cause."""

from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from ledger.queries.job import COLUMNS, Attempt, JobSeen, seen, with_last_errors
from ledger.queries.order import jobs, of_chain

MOST_OF_A_CHAIN = 200
MOST_ATTEMPTS = 100
ATTEMPTS = text(
    "SELECT id, attempt, worker_id, started_at, ended_at, outcome, error_class, error_code, message, place, traceback, "
    "fingerprint FROM ledger.attempts WHERE job_id = :id ORDER BY id DESC LIMIT :most"
)


@dataclass(frozen=True, slots=True)
class Story:
    """One job with its failed attempts, oldest first, and its chain from the root on, itself included."""

    job: JobSeen
    attempts: tuple[Attempt, ...]
    chain: tuple[JobSeen, ...]


def read_story(db: Connection, job_id: int) -> Story | None:
    """Return a job's story; None if there is no such job. The latest MOST_ATTEMPTS and the first MOST_OF_A_CHAIN."""
    listed = select(*(jobs.c[name] for name in COLUMNS))
    row = db.execute(listed.where(jobs.c.id == job_id)).one_or_none()
    if row is None:
        return None
    (job,) = with_last_errors(db, [seen(row)])
    # Gathered first: asked for the first of a chain by id, the planner may walk all ids to find them.
    chain = listed.where(of_chain(job.root_id)).cte("chain").prefix_with("MATERIALIZED", dialect="postgresql")
    links = [seen(link) for link in db.execute(select(chain).order_by(chain.c.id).limit(MOST_OF_A_CHAIN))]
    rows = db.execute(ATTEMPTS, {"id": job_id, "most": MOST_ATTEMPTS})
    attempts = [Attempt(*row) for row in rows]
    return Story(job, tuple(reversed(attempts)), with_last_errors(db, links))
