"""Spend an attempt, and begin what follows: the start is committed before anything of the handler's runs."""

from sqlalchemy import Connection

from ledger.claimed import Claimed
from ledger.message import attempt, say
from ledger.transaction import held_up

START = "SELECT ledger.start_v1({id}, {fence})"
START_AT_ONCE = "SELECT ledger.start_at_once_v1({id}, {fence})"
START_FORGETTABLY = "SELECT ledger.start_at_once_v1({id}, {fence}, true)"
BEGIN_LOAD = "SELECT ledger.begin_load_v1({id}, {fence})"
BEGIN_SAVE = "SELECT ledger.begin_save_v1({id}, {fence})"
Attempt = int | None
"""Which attempt a start said it is; None if the job is no longer ours."""


class Blocked(Exception):
    """A vendor of this kind asked for a pause a moment ago: the ledger has put the job off until it is over."""


def of_job(statement: str, claimed: Claimed) -> str:
    """Write a claimed job's id and fence into a statement."""
    return statement.format(id=claimed.id, fence=claimed.fence)


def beginning(claimed: Claimed, first: str) -> tuple[str, str, str]:
    """Return what starts a job, commits that, and begins its first transaction: the rest of a message after a BEGIN.

    A start that also read or completed would leave no trace of a crash: the job that kills its worker would be tried
    for ever. One that is followed by the save, on the same connection, need not wait for the disk.
    """
    starts = START_FORGETTABLY if first == BEGIN_SAVE else START_AT_ONCE
    return of_job(starts, claimed), "COMMIT AND CHAIN", of_job(first, claimed)


def begin(db: Connection, claimed: Claimed, first: str) -> tuple[Attempt, bytes | None]:
    """Start a job and begin its first transaction; return the attempt, and what the statement `first` answered.

    Raises Blocked. All is one message, unless the start finds a lock in its way. For the server carries out what a
    killed worker has sent: so it waits for the lock in a message without a COMMIT, which that one never sends.
    """
    begins = beginning(claimed, first)
    said, error = attempt(db, "BEGIN", *begins)
    if error is not None and len(said) == 1 and held_up(error):
        said = say(db, "ROLLBACK AND CHAIN", of_job(START, claimed))
        answers, error = attempt(db, *begins[1:])
        said += answers
    spent = _attempt(said[1]) if len(said) > 1 else None
    if error is not None:
        raise error
    return spent, said[-1]


def start(db: Connection, claimed: Claimed) -> Attempt:
    """Start a job that has no transaction of its own, in one that the caller commits."""
    return _attempt(say(db, "BEGIN", of_job(START, claimed))[1])


def _attempt(answer: bytes | None) -> Attempt:
    spent = None if answer is None else int(answer)
    if spent == 0:
        raise Blocked
    return spent
