"""What came of jobs of the house that find work of businesses: the jobs that each enqueued itself, by state."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from models.ledger import State

MOST_COUNTED = 1_000
CAME_OF = text("""
SELECT asked.id, found.state, count(*) AS jobs
FROM unnest(CAST(:roots AS bigint[])) AS asked (id)
CROSS JOIN LATERAL (
  SELECT state FROM ledger.jobs
  WHERE root_id = asked.id AND root_id <> id AND parent_id = asked.id
    AND business_id <> '00000000-0000-0000-0000-000000000000'  -- what the house does for itself is none of it
  LIMIT :most + 1
) found
GROUP BY asked.id, found.state ORDER BY count(*) DESC
""")


@dataclass(frozen=True, slots=True)
class CameOf:
    """The jobs that one job enqueued, by state; `at_least` where there were too many to count."""

    states: dict[State, int] = field(default_factory=dict)
    at_least: bool = False

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.states.values())


def read_came_of(db: Connection, roots: Sequence[int]) -> dict[int, CameOf]:
    """Return what came of each of these jobs, all of them the first of their chains."""
    states: dict[int, dict[State, int]] = {root: {} for root in roots}
    if roots:
        for row in db.execute(CAME_OF, {"roots": list(roots), "most": MOST_COUNTED}):
            states[row.id][State(row.state)] = row.jobs
    return {root: CameOf(found, sum(found.values()) > MOST_COUNTED) for root, found in states.items()}
