"""Jobs that failed and have not got over it, grouped by what failed alike: kind, error class and place."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from ledger.queries.order import JobFilter
from models.ledger import FAILED, Outcome, State

MOST_COUNTED = 10_000
"""Jobs of a group that are counted; one with more has at least as many."""
MOST_GROUPS = 100
MOST_KNOWN = 1_000
HISTORY = timedelta(hours=24)
STILL = "state IN ('dead', 'parked', 'retryable') AND fingerprint IS NOT NULL"
# From one fingerprint to the next through the index of failures: as many steps as there are different ones.
KNOWN = """
WITH RECURSIVE known AS (
  (SELECT fingerprint FROM ledger.jobs
   WHERE state IN ('dead', 'parked', 'retryable') AND fingerprint IS NOT NULL ORDER BY fingerprint LIMIT 1)
  UNION ALL
  SELECT (SELECT fingerprint FROM ledger.jobs
          WHERE state IN ('dead', 'parked', 'retryable') AND fingerprint IS NOT NULL AND fingerprint > k.fingerprint
          ORDER BY fingerprint LIMIT 1)
  FROM known k WHERE k.fingerprint IS NOT NULL
), print AS (SELECT fingerprint FROM known WHERE fingerprint IS NOT NULL LIMIT :known)
"""
ONE = "WITH print AS (SELECT CAST(:fingerprint AS text) AS fingerprint)"
GROUPS = """
SELECT p.fingerprint, f.*, s.id AS sample, e.outcome, e.error_class, e.error_code AS code,
       e.place, e.message,
       (SELECT min(a.ended_at) FROM ledger.attempts a WHERE a.fingerprint = p.fingerprint) AS first_seen
FROM print p
CROSS JOIN LATERAL (
  SELECT max(kind) AS kind, count(*) AS jobs, count(DISTINCT business_id) AS businesses, max(failed_at) AS last_seen,
         count(*) FILTER (WHERE state = 'dead') AS dead, count(*) FILTER (WHERE state = 'parked') AS parked,
         count(*) FILTER (WHERE state = 'retryable') AS retryable
  FROM (SELECT kind, state, business_id, failed_at FROM ledger.jobs
        WHERE {which} ORDER BY failed_at DESC, id DESC LIMIT :most + 1) counted
) f
CROSS JOIN LATERAL (
  SELECT id FROM ledger.jobs WHERE {which} ORDER BY failed_at DESC, id DESC LIMIT 1
) s
LEFT JOIN LATERAL (
  SELECT outcome, error_class, error_code, place, message FROM ledger.attempts
  WHERE fingerprint = p.fingerprint ORDER BY ended_at DESC LIMIT 1
) e ON true
ORDER BY f.jobs DESC, f.last_seen DESC LIMIT :groups
"""
HOURS = text("""
SELECT date_trunc('hour', ended_at) AS hour, count(*) AS attempts, count(DISTINCT job_id) AS jobs,
       count(DISTINCT business_id) AS businesses
FROM (SELECT ended_at, job_id, business_id FROM ledger.attempts
      WHERE fingerprint = :fingerprint AND ended_at >= :since ORDER BY ended_at DESC LIMIT :most) recent
GROUP BY 1 ORDER BY 1 DESC
""")
CONDITIONS = {
    "kind": "kind = :kind",
    "state": "state = :state",
    "business_id": "business_id = :business_id",
    "since": "failed_at >= :since",
    "until": "failed_at < :until",
}


@dataclass(frozen=True, slots=True)
class FailedGroup:
    """Jobs of one kind whose latest failure was the same; `at_least` where there were too many to count.

    `first_seen` is that of any attempt still kept that failed so; `sample` is the job that failed last. The error is
    None once its attempts are forgotten.
    """

    fingerprint: str
    kind: str
    jobs: int
    at_least: bool
    states: dict[State, int]
    businesses: int
    first_seen: datetime | None
    last_seen: datetime
    sample: int
    outcome: Outcome | None
    error_class: str | None
    code: str | None
    place: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Hour:
    """How often a failure was seen in one hour: attempts, the jobs they were of, and those jobs' businesses."""

    hour: datetime
    attempts: int
    jobs: int
    businesses: int


def group_failed(db: Connection, wanted: JobFilter) -> tuple[FailedGroup, ...]:
    """Group the failed jobs that a filter leaves by kind, state, business and time of failure; the largest first."""
    return _read(db, KNOWN, wanted, {"known": MOST_KNOWN})


def read_failed(db: Connection, fingerprint: str, wanted: JobFilter | None = None) -> FailedGroup | None:
    """Return one group; None if no job that a filter leaves has failed so and not got over it."""
    found = _read(db, ONE, wanted or JobFilter(), {"fingerprint": fingerprint})
    return found[0] if found else None


def read_hours(db: Connection, fingerprint: str, until: datetime) -> tuple[Hour, ...]:
    """Return the hours of the last HISTORY in which a failure was seen, the latest first."""
    given = {"fingerprint": fingerprint, "since": until - HISTORY, "most": MOST_COUNTED}
    return tuple(Hour(*row) for row in db.execute(HOURS, given))


def _read(db: Connection, prints: str, wanted: JobFilter, more: dict[str, Any]) -> tuple[FailedGroup, ...]:
    given = {name: value for name in CONDITIONS if (value := getattr(wanted, name)) is not None}
    which = " AND ".join([STILL, "fingerprint = p.fingerprint", *(CONDITIONS[name] for name in given)])
    rows = db.execute(
        text(prints + GROUPS.format(which=which)), {**given, **more, "most": MOST_COUNTED, "groups": MOST_GROUPS}
    )
    return tuple(_group(row) for row in rows)


def _group(row: Any) -> FailedGroup:
    return FailedGroup(
        fingerprint=row.fingerprint,
        kind=row.kind,
        jobs=min(row.jobs, MOST_COUNTED),
        at_least=row.jobs > MOST_COUNTED,
        states={state: count for state in FAILED if (count := getattr(row, state))},
        businesses=row.businesses,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        sample=row.sample,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        error_class=row.error_class,
        code=row.code,
        place=row.place,
        message=row.message,
    )
