"""Erasing, a batch at a time: what the data map says of the rows that an erasure means is done to them.

Nothing remembers how far it came but the rows: what is left is found again from the frozen scope. A batch that was
rolled back never was, and one more when all is done does nothing.
"""

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from lifecycle import keep
from lifecycle.batch import Batch
from lifecycle.indexed import by_index
from lifecycle.meant import Meant
from lifecycle.pace import Pace
from lifecycle.paths import subjects
from lifecycle.progress import Progress
from lifecycle.raw import forget_raw
from lifecycle.scrub import KEEP_UNTIL, changes, to_do, values
from lifecycle.walk import Head, walk
from models.data_map import Keep, Scrub
from models.erasures import Erasure, ErasureState, Scope

BATCH = 500


def erase(db: Session, erasure: Erasure, *, batch: int = BATCH, patience: float | None = None) -> Progress:
    """Delete, empty, unlink or keep at most `batch` rows of each table, children first; says whether there is more.

    With patience, in seconds, as many more as fit into it: what has changed is locked until the transaction ends.
    Raises ValueError for an erasure that has not begun, or is over.
    """
    if erasure.state is not ErasureState.ERASING:
        raise ValueError(f"nothing is erased for an erasure that is {erasure.state}")
    step = Batch(db, walk(db, erasure), Pace(batch, patience))
    with by_index(db):
        step.done.more = not all(_goes_on(step, head) for head in step.walk.heads)
    if not step.done.more:
        gone = forget_raw(db, erasure, step.walk.meant, most=batch)
        step.done.rows.update(gone)
        step.done.more = sum(gone.values()) >= batch
    return step.done


def _goes_on(step: Batch, head: Head) -> bool:
    """Do of one head what there is time for; returns whether the next may be looked at."""
    step.pace.anew()
    while not _carry_out(step, head):
        if not (step.pace.patience and step.goes_on()):
            return False
    return not step.pace.is_over()


def _carry_out(step: Batch, head: Head) -> bool:
    """Do what there is room for of one head; returns whether nothing of it is left."""
    return _delete(step, head) and _pass_on(step, head) and _change(step, head)


def _delete(step: Batch, head: Head) -> bool:
    condition = step.walk.going(head)
    if condition is None:
        return True
    if step.walk.meant.scope is Scope.BUSINESS:
        # Every table is asked for itself, children first: nothing hangs on these any more.
        ids, are_all = step.find(head.table, condition, anywhere=True)
        step.take(head.table, ids)
        return are_all
    ids, are_all = step.find(head.table, condition)
    if step.walk.meant.scope is Scope.RECORDING and not step.unquote(head.table, ids):
        return False
    return step.leave(head.row, ids) and step.end(head.table, ids) and are_all


def _pass_on(step: Batch, head: Head) -> bool:
    """Give rows that others share to one of them."""
    if not head.among or head.link is None:
        return True
    table, tables = head.table, head.among
    ids, are_all = step.find(table, head.which & step.walk.shared(table, tables))
    if not step.remake(table, ids):
        return False
    others = [
        select(who).where(joined, who.not_in(step.walk.people)).order_by(theirs.c.id).limit(1).scalar_subquery()
        for theirs, joined, who in subjects(table, tables)
    ]
    step.change(table, ids, {head.link: func.coalesce(*others)})
    return are_all


def _change(step: Batch, head: Head) -> bool:
    """Unlink, empty and keep what stays."""
    table = head.table
    made = changes(table, head.link, head.endings)
    left = to_do(made)
    told = values(made)
    if any(isinstance(each, Keep | Scrub) for each in head.endings):
        until = keep.until(step.db, step.walk.meant, head.row)
        if until is not None:
            left = or_(left, table.c[KEEP_UNTIL].is_(None))
            told[KEEP_UNTIL] = func.coalesce(table.c[KEEP_UNTIL], until)
    if not told:
        return True
    ids, are_all = step.find(table, head.which & left, anywhere=_is_whole(step.walk.meant))
    step.change(table, ids, told)
    return are_all


def _is_whole(what: Meant) -> bool:
    return what.scope is Scope.BUSINESS
