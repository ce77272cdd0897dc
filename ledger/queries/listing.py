"""Jobs by filter, a page at a time: by keys, so that rows that come and go move nothing under the reader."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, func, select, text

from ledger.queries.failures import fingerprints_of
from ledger.queries.job import COLUMNS, JobSeen, seen, with_last_errors
from ledger.queries.order import Bounds, JobFilter, choose, failing
from ledger.queries.walk import Walk

# Halving: from the first id and the one after the last, to where the two meet.
FIRST_ID = text("""
WITH RECURSIVE halved AS (
  SELECT min(id) AS low, max(id) + 1 AS high FROM ledger.jobs
  UNION ALL
  SELECT CASE WHEN m.enqueued_at < :moment THEN m.id + 1 ELSE h.low END,
         CASE WHEN m.enqueued_at < :moment THEN h.high ELSE (h.low + h.high) / 2 END
  FROM halved h CROSS JOIN LATERAL (
    SELECT id, enqueued_at FROM ledger.jobs WHERE id >= (h.low + h.high) / 2 ORDER BY id LIMIT 1
  ) m
  WHERE h.low < h.high
)
SELECT low FROM halved WHERE low >= high
""")
SIZE = 50
MOST_READ = 20_000
"""Rows that one page may read and leave out; a filter so rare goes on from there with the next."""
MOST_TOLD = 1_000
"""Jobs of a filter that are counted."""
SLACK = timedelta(minutes=10)
"""How long a transaction may have been open between taking its id and being seen with an older time."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of jobs, with the cursors of its neighbours.

    `unfinished` says that the page stopped looking before the list ended: what lies behind `next` may be nothing.
    `total` is how many pass the filter, where all of them were at hand and the page has any.
    """

    jobs: tuple[JobSeen, ...]
    words: str
    next: str | None
    previous: str | None
    unfinished: bool = False
    total: int | None = None


def list_jobs(
    db: Connection,
    wanted: JobFilter | None = None,
    *,
    after: str | None = None,
    before: str | None = None,
    size: int = SIZE,
) -> Page:
    """List the jobs after a cursor, or before one; raises BadCursor. Reads `size` and MOST_READ rows at most."""
    wanted = wanted or JobFilter()
    walk = walk_of(db, wanted)
    backwards = before is not None
    asked = _page(walk, before if backwards else after, size + 1, backwards=backwards)
    if walk.gathered:
        asked = asked.add_columns(_total(walk))
    rows = list(db.execute(asked))
    more = len(rows) > size
    rows = rows[:size]
    end = None if more else _where_it_stopped(db, walk, before if backwards else after, backwards=backwards)
    onwards = walk.cursor(rows[-1]) if more else end
    if backwards:
        rows.reverse()
    came_from = (after or before) if not rows else walk.cursor(rows[-1] if backwards else rows[0])
    back = came_from if after is not None or before is not None else None
    return Page(
        jobs=with_last_errors(db, (seen(row) for row in rows)),
        words=walk.words,
        next=back if backwards else onwards,
        previous=onwards if backwards else back,
        unfinished=end is not None,
        total=rows[0].total if rows and walk.gathered else None,
    )


def count_jobs(db: Connection, wanted: JobFilter, most: int = MOST_TOLD) -> tuple[int, bool]:
    """Return how many jobs pass a filter, up to `most`, and whether there are or may be more."""
    walk = walk_of(db, wanted)
    page = _page(walk, None, most + 1, backwards=False).subquery()
    found: int = db.execute(select(func.count()).select_from(page)).scalar_one()
    more = found > most or _where_it_stopped(db, walk, None, backwards=False) is not None
    return min(found, most), more


def count_beside(db: Connection, wanted: JobFilter, page: Page, *, first: bool) -> tuple[int, bool]:
    """Return what `count_jobs` does of a list of which a page is at hand, and reads nothing that this has told.

    `first` says that nothing of the list lies before the page.
    """
    if page.total is not None:
        return min(page.total, MOST_TOLD), page.total > MOST_TOLD
    if first and page.unfinished:
        return len(page.jobs), True
    return count_jobs(db, wanted)


def walk_of(db: Connection, wanted: JobFilter) -> Walk:
    """Choose the order, after looking up what a filter means in ids and fingerprints."""
    alike = None
    if wanted.failing is not None:
        return failing(wanted)
    if wanted.fingerprint is not None:
        alike = [wanted.fingerprint]
    elif wanted.code is not None:
        alike = fingerprints_of(db, wanted.code)
    bounds: Bounds = (None, None)
    if alike is None and wanted.state is None and wanted.root_id is None:
        bounds = (_first_id(db, wanted.since, -SLACK), _first_id(db, wanted.until, SLACK))
    return choose(wanted, alike, bounds)


def _page(walk: Walk, cursor: str | None, limit: int, *, backwards: bool) -> Select[Any]:
    source: FromClause = walk.source
    beyond = walk.beyond(cursor, backwards=backwards)
    rest = walk.rest(source)
    if rest and not walk.gathered:
        read = _listed(source, *walk.within, beyond).order_by(*walk.order(source, backwards=backwards))
        source = read.limit(MOST_READ).subquery("read")
        page = _listed(source, *walk.rest(source))
    else:
        page = _listed(source, *walk.within, *rest, beyond)
    return page.order_by(*walk.order(source, backwards=backwards)).limit(limit)


def _total(walk: Walk) -> ColumnElement[int]:
    """Count what passes among rows that are gathered for the page anyway."""
    return select(func.count()).select_from(walk.source).where(*walk.rest(walk.source)).scalar_subquery().label("total")


def _listed(source: FromClause, *conditions: ColumnElement[bool]) -> Select[Any]:
    return select(*(source.c[name] for name in COLUMNS)).where(*conditions)


def _where_it_stopped(db: Connection, walk: Walk, cursor: str | None, *, backwards: bool) -> str | None:
    """Return the cursor of the last row that a filtered page read, None if the list itself ended."""
    source = walk.source
    if walk.gathered or not walk.rest(source):
        return None
    keys = select(*(source.c[key] for key in walk.keys))
    read = keys.where(*walk.within, walk.beyond(cursor, backwards=backwards))
    last = read.order_by(*walk.order(source, backwards=backwards)).offset(MOST_READ - 1).limit(1)
    row = db.execute(last).one_or_none()
    return None if row is None else walk.cursor(row)


def _first_id(db: Connection, moment: datetime | None, slack: timedelta) -> int | None:
    """Return about the first id enqueued at a moment or after it: ids and times rise together but for slack."""
    if moment is None:
        return None
    found: int | None = db.execute(FIRST_ID, {"moment": moment + slack}).scalar()
    return found
