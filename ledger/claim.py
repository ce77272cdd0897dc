"""Take the jobs that were popped from Redis, complete those without effects as sets, give back what is held."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Connection, text

from ledger.claimed import Claimed

Token = tuple[int, int]
"""A job's id and the fence under which it may be written."""

CLAIM = text(
    "SELECT id, fence, kind, business_id, payload, attempt, max_attempts, rescues, patience, cursor, started "
    "FROM ledger.claim_v1(:worker, :kinds, :plain, CAST(:ids AS bigint[]), CAST(:fences AS integer[]))"
)
COMPLETE_MANY = text("SELECT count(*) FROM ledger.complete_many_v1(CAST(:ids AS bigint[]), CAST(:fences AS integer[]))")
COMPLETE_FREE = text(
    "SELECT id, fence FROM ledger.complete_free_v1(CAST(:ids AS bigint[]), CAST(:fences AS integer[]))"
)
DISCLAIM = text("SELECT ledger.disclaim_v1(:worker, CAST(:ids AS bigint[]), CAST(:fences AS integer[]))")
REFUSE = text("SELECT ledger.refuse_v1(:kinds, CAST(:ids AS bigint[]), CAST(:fences AS integer[]))")
GIVE_BACK = text("SELECT ledger.give_back_v1(CAST(:ids AS bigint[]), CAST(:fences AS integer[]))")


def _arrays(tokens: Sequence[Token]) -> dict[str, str]:
    """Return tokens as two PostgreSQL arrays sorted by id, so that two sets never lock rows in opposite order.

    Of two for one job only the later can still be good.
    """
    ordered = dict(sorted(tokens))
    return {"ids": _array(ordered), "fences": _array(ordered.values())}


def _array(numbers: Iterable[int]) -> str:
    """Return numbers as PostgreSQL writes an array: the driver would look at each of them in turn."""
    return f"{{{','.join(map(str, numbers))}}}"


def claim(
    db: Connection, worker: UUID, kinds: Sequence[str], plain: Sequence[str], tokens: Sequence[Token]
) -> list[Claimed]:
    """Reserve what is still ours to take of these, in the order of the tokens.

    No attempt is spent but by the `plain` kinds, which have no effects and are started by the same set.
    """
    rows = db.execute(CLAIM, {"worker": worker, "kinds": list(kinds), "plain": list(plain), **_arrays(tokens)}).all()
    place = {job_id: n for n, (job_id, _) in enumerate(tokens)}
    return sorted((Claimed(*row) for row in rows), key=lambda claimed: place[claimed.id])


def complete_free(db: Connection, tokens: Sequence[Token]) -> list[Token]:
    """Complete those whose rows nobody else has locked; returns the others that are still ours."""
    return [(row.id, row.fence) for row in db.execute(COMPLETE_FREE, _arrays(tokens))]


def disclaim(db: Connection, worker: UUID, tokens: Sequence[Token]) -> int:
    """Give back what a claim of these took for the worker though its answer was lost; returns how many there were."""
    given: int = db.execute(DISCLAIM, {"worker": worker, **_arrays(tokens)}).scalar_one()
    return given


def refuse(db: Connection, kinds: Sequence[str], tokens: Sequence[Token]) -> int:
    """Make available again what is of none of these kinds; returns how many there were."""
    refused: int = db.execute(REFUSE, {"kinds": list(kinds), **_arrays(tokens)}).scalar_one()
    return refused


def complete_many(db: Connection, tokens: Sequence[Token]) -> int:
    """Complete each; returns how many were still ours."""
    completed: int = db.execute(COMPLETE_MANY, _arrays(tokens)).scalar_one()
    return completed


def give_back(db: Connection, tokens: Sequence[Token]) -> int:
    """Make each available again with no attempt spent; returns how many were still ours."""
    given: int = db.execute(GIVE_BACK, _arrays(tokens)).scalar_one()
    return given
