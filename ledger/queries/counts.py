"""How many jobs are in each state: the open ones now, the finished ones of a span, none beyond what a page needs."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, text

from ledger.queries.pace import counted_until
from models.ledger import FINISHED, State

MOST_COUNTED = 5_000
MOST_DEAD = 50_000
"""Of the states in which jobs stand still: there it matters how many."""
# Each branch reads one index and stops: a backlog of a million is told as "at least". One that asks for a single state
# names no column, so that the index alone answers: the rows lie scattered over all of the table.
OPEN_STATES = """
SELECT 'available' AS state, count(*) AS found FROM (
  SELECT FROM ledger.jobs WHERE state = 'available' LIMIT :most + 1) available
UNION ALL SELECT state, count(*) FROM (
  SELECT state FROM ledger.jobs WHERE state IN ('scheduled', 'retryable') LIMIT :most + 1) later GROUP BY state
UNION ALL SELECT state, count(*) FROM (
  SELECT state FROM ledger.jobs WHERE state IN ('dispatched', 'running') LIMIT :most + 1) in_flight GROUP BY state
UNION ALL SELECT 'parked', count(*) FROM (
  SELECT FROM ledger.jobs WHERE state = 'parked' LIMIT :dead + 1) parked
"""
FINISHED_STATE = """
UNION ALL SELECT '{state}', count(*) FROM (
  SELECT FROM ledger.jobs WHERE state = '{state}' AND finished_at >= {since} LIMIT {most} + 1) finished
"""
SINCE = {State.SUCCEEDED: ":uncounted"}
COUNTS = text(
    OPEN_STATES
    + "".join(
        FINISHED_STATE.format(
            state=state, since=SINCE.get(state, ":since"), most=":dead" if state is State.DEAD else ":most"
        )
        for state in FINISHED
    )
)
# What has succeeded stays so: what was counted of it need not be counted again.
SUCCEEDED = text("""
SELECT coalesce(sum(count), 0)::bigint FROM ledger.pace
WHERE minute >= :since AND minute < :uncounted AND outcome = 'succeeded'
""")


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many jobs are in a state; `at_least` where there were too many to count."""

    state: State
    count: int
    at_least: bool


def count_states(db: Connection, finished_since: datetime) -> dict[State, StateCount]:
    """Count the jobs of every state, those that are finished only since a moment."""
    uncounted = max(counted_until(db) or finished_since, finished_since)
    given = {"most": MOST_COUNTED, "dead": MOST_DEAD, "since": finished_since, "uncounted": uncounted}
    found = {State(row.state): row.found for row in db.execute(COUNTS, given)}
    counts = {state: _counted(state, found.get(state, 0)) for state in State}
    latest = counts[State.SUCCEEDED]
    before: int = db.execute(SUCCEEDED, given).scalar_one()
    return {**counts, State.SUCCEEDED: replace(latest, count=latest.count + before)}


def _counted(state: State, found: int) -> StateCount:
    most = MOST_DEAD if state in (State.DEAD, State.PARKED) else MOST_COUNTED
    return StateCount(state, min(found, most), found > most)
