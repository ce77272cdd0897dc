"""One job whole: its attempts, and the chain of jobs that came of the same cause, as a tree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from ledger.queries.job import COLUMNS, Attempt, JobSeen, seen, with_last_errors
from ledger.queries.order import jobs, of_chain

MOST_OF_A_CHAIN = 200
MOST_ATTEMPTS = 100
ATTEMPTS = text(
    "SELECT id, attempt, worker_id, started_at, ended_at, outcome, error_class, error_code, message, place, traceback, "
    "fingerprint, log_tail FROM ledger.attempts WHERE job_id = :id ORDER BY id DESC LIMIT :most"
)


@dataclass(frozen=True, slots=True)
class Link:
    """A job of a chain, `depth` jobs below its first."""

    job: JobSeen
    depth: int


@dataclass(frozen=True, slots=True)
class Story:
    """One job with its failed attempts, oldest first, and its chain from the root on, itself included.

    `more` where the chain has more than the first MOST_OF_A_CHAIN jobs, which are told.
    """

    job: JobSeen
    attempts: tuple[Attempt, ...]
    chain: tuple[Link, ...]
    more: bool


def read_story(db: Connection, job_id: int) -> Story | None:
    """Return a job's story; None if there is no such job. The latest MOST_ATTEMPTS and the first MOST_OF_A_CHAIN."""
    listed = select(*(jobs.c[name] for name in COLUMNS))
    row = db.execute(listed.where(jobs.c.id == job_id)).one_or_none()
    if row is None:
        return None
    (job,) = with_last_errors(db, [seen(row)])
    # Gathered first: asked for the first of a chain by id, the planner may walk all ids to find them.
    chain = listed.where(of_chain(job.root_id)).cte("chain").prefix_with("MATERIALIZED", dialect="postgresql")
    links = [seen(link) for link in db.execute(select(chain).order_by(chain.c.id).limit(MOST_OF_A_CHAIN + 1))]
    rows = db.execute(ATTEMPTS, {"id": job_id, "most": MOST_ATTEMPTS})
    attempts = [Attempt(*row) for row in rows]
    told = with_last_errors(db, links[:MOST_OF_A_CHAIN])
    return Story(job, tuple(reversed(attempts)), tuple(tree(told)), len(links) > MOST_OF_A_CHAIN)


def tree(chain: Sequence[JobSeen]) -> Iterator[Link]:
    """Yield a chain's jobs, each below the one that enqueued it; one whose parent is gone stands below the first."""
    known = {job.id for job in chain}
    below: dict[int | None, list[JobSeen]] = {}
    for job in chain:
        parent = None if job.id == job.root_id else job.parent_id if job.parent_id in known else job.root_id
        below.setdefault(parent if parent in known else None, []).append(job)
    waiting = [Link(job, 0) for job in reversed(below.get(None, []))]
    while waiting:
        link = waiting.pop()
        yield link
        waiting += [Link(job, link.depth + 1) for job in reversed(below.get(link.job.id, []))]
