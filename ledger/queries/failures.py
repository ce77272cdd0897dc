"""What fails alike: attempts grouped by the fingerprint of their error."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from models.ledger import Outcome

MOST_COUNTED = 10_000
MOST_GROUPS = 50
# From one fingerprint to the next through the index: as many steps as there are different errors, not as attempts.
FINGERPRINTS = """
WITH RECURSIVE known AS (
  (SELECT fingerprint FROM ledger.attempts WHERE fingerprint IS NOT NULL ORDER BY fingerprint LIMIT 1)
  UNION ALL
  SELECT (SELECT a.fingerprint FROM ledger.attempts a WHERE a.fingerprint > k.fingerprint
          ORDER BY a.fingerprint LIMIT 1)
  FROM known k WHERE k.fingerprint IS NOT NULL
)
"""
GROUPS = """
SELECT k.fingerprint, f.kind, f.outcome, max(f.error_class) AS error_class, max(f.error_code) AS code,
       max(f.place) AS place, max(f.message) AS message, count(*) AS failed,
       count(DISTINCT f.business_id) AS businesses, max(f.ended_at) AS last_seen, max(f.job_id) AS latest_job,
       (SELECT min(a.ended_at) FROM ledger.attempts a WHERE a.fingerprint = k.fingerprint) AS first_seen
FROM known k, LATERAL (
  SELECT * FROM ledger.attempts a
  WHERE a.fingerprint = k.fingerprint AND a.ended_at >= :since
  ORDER BY a.ended_at DESC LIMIT :most + 1
) f
WHERE f.outcome <> 'cancelled'
GROUP BY k.fingerprint, f.kind, f.outcome
ORDER BY count(*) DESC, max(f.ended_at) DESC
LIMIT :groups
"""
OF_CODE = """
SELECT k.fingerprint FROM known k, LATERAL (
  SELECT a.error_code FROM ledger.attempts a WHERE a.fingerprint = k.fingerprint ORDER BY a.ended_at DESC LIMIT 1
) f
WHERE f.error_code = :code
"""


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failed attempts of one kind with one fingerprint; `at_least` where there were too many to count.

    `first_seen` is that of the fingerprint in all attempts still kept, so that what is new can be told from the old.
    """

    fingerprint: str
    kind: str
    outcome: Outcome
    error_class: str | None
    code: str | None
    place: str | None
    message: str | None
    count: int
    at_least: bool
    businesses: int
    first_seen: datetime
    last_seen: datetime
    latest_job: int


def group_failures(db: Connection, since: datetime) -> tuple[FailureGroup, ...]:
    """Group the attempts that failed since a moment, the largest group first, MOST_GROUPS at most."""
    rows = db.execute(text(FINGERPRINTS + GROUPS), {"since": since, "most": MOST_COUNTED, "groups": MOST_GROUPS})
    return tuple(
        FailureGroup(
            fingerprint=row.fingerprint,
            kind=row.kind,
            outcome=Outcome(row.outcome),
            error_class=row.error_class,
            code=row.code,
            place=row.place,
            message=row.message,
            count=min(row.failed, MOST_COUNTED),
            at_least=row.failed > MOST_COUNTED,
            businesses=row.businesses,
            first_seen=row.first_seen,
            last_seen=row.last_seen,
            latest_job=row.latest_job,
        )
        for row in rows
    )


def fingerprints_of(db: Connection, code: str) -> list[str]:
    """Return the fingerprints of an error's code; a fingerprint is made of its code, so all its attempts share it."""
    return list(db.execute(text(FINGERPRINTS + OF_CODE), {"code": code}).scalars())


@dataclass(frozen=True, slots=True)
class LastAlike:
    """The latest attempt that failed so, whatever became of its job."""

    job_id: int
    kind: str
    ended_at: datetime
    outcome: Outcome
    error_class: str | None
    code: str | None
    place: str | None
    message: str | None


LAST = text("""
SELECT job_id, kind, ended_at, outcome, error_class, error_code, place, message FROM ledger.attempts
WHERE fingerprint = :fingerprint ORDER BY ended_at DESC LIMIT 1
""")


def last_alike(db: Connection, fingerprint: str) -> LastAlike | None:
    """Return the latest attempt with a fingerprint; None if there is none, or it is forgotten."""
    row = db.execute(LAST, {"fingerprint": fingerprint}).one_or_none()
    if row is None:
        return None
    job_id, kind, ended_at, outcome, *words = row
    return LastAlike(job_id, kind, ended_at, Outcome(outcome), *words)
