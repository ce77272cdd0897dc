"""How a vendor is asked for copies: delete each, read each back, and keep what came of it whatever comes next.

What is returned is kept as the job's answer before it is saved, so a call that has done something never raises: what
it did would be forgotten, and asked for again. It raises only where nothing was done at all. Then the ledger does what
it does with any vendor: it waits, counts an attempt, parks the kind, and above all lets nobody ask a vendor that has
told us for how long. Where something was done first, the rest waits as long by itself, and the next job to ask is told
by the vendor once more.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol
from uuid import UUID

from ledger import clock
from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from ledger.retry import asked, backoff
from models.traces import RemainsState
from providers.copies import Asked, Deletion, Lapses, Later

LONGEST = 60.0
"""Seconds for one look at many copies; what has not been asked for by then waits for the next."""
MOST_FAILURES = 3
"""Copies that a vendor may fail at before it is taken to be down: one alone may be what it stumbles over."""
ASKED_AGAIN = 8
"""Looks after which a deletion that was accepted, and does not come, is asked for again."""
FIRST_WAIT = 3
"""As which attempt a first look counts for the wait after it: a deletion that takes time takes more than a moment."""
UNREADY = ("_unready", "_user_owns")
"""How the codes end by which a vendor says: this one not now. It is no vendor that is down."""

_draw = random.Random()


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that is due: what it is there, whether its deletion was accepted, how often it was looked at."""

    id: UUID
    what: str
    ref: str = field(repr=False)
    accepted: bool
    tries: int


Copies = tuple[Copy, ...]


@dataclass(frozen=True, slots=True)
class Stands:
    """How a copy stands now. What it is called there is left out: this is kept."""

    id: UUID
    state: RemainsState
    reason: str | None = None
    retry_at: datetime | None = None
    lapses_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """What a look found, and how long the vendor wants to be left alone with what was not asked for."""

    stands: tuple[Stands, ...] = ()
    rest_until: datetime | None = None


class Holder(Protocol):
    """A vendor that holds copies."""

    def delete(self, what: str, ref: str) -> Deletion:
        """Have a copy deleted; one that is not there is."""
        ...

    def gone(self, what: str, ref: str) -> bool:
        """Return whether it has the copy no more."""
        ...


def follow(
    copies: Sequence[Copy], vendor: Holder, lapses_at: Callable[[str, str], datetime | None] = lambda *_: None
) -> Followed:
    """Have each copy deleted, and read back whether it is gone.

    `lapses_at` tells until when the vendor keeps something of what is gone. Raises TryAgain and Misconfigured where
    nothing was done.
    """
    look = _Look(vendor, lapses_at)
    until = monotonic() + LONGEST
    for copy in copies:
        if look.is_over or monotonic() > until:
            break
        look.at(copy)
    return look.came_to()


class _Look:
    """One look at some copies."""

    def __init__(self, vendor: Holder, lapses_at: Callable[[str, str], datetime | None]) -> None:
        self._vendor, self._lapses_at = vendor, lapses_at
        self._done: list[Stands] = []
        self._failed: list[Stands] = []
        self._stopped_by: JobError | None = None

    @property
    def is_over(self) -> bool:
        """Whether the vendor is to be asked no more now."""
        return isinstance(self._stopped_by, RateLimited | Misconfigured) or len(self._failed) >= MOST_FAILURES

    def at(self, copy: Copy) -> None:
        """Look at one copy; whatever becomes of it stops no other."""
        try:
            told = None if copy.accepted and (copy.tries + 1) % ASKED_AGAIN else self._delete(copy)
        except JobError as failure:
            self._take(copy, failure, was_asked=copy.accepted)
            return
        try:
            self._done.append(self._read_back(copy, told))
        except JobError as failure:
            self._take(copy, failure, was_asked=True)

    def came_to(self) -> Followed:
        """Return what is to be kept; raise what stopped it if nothing is."""
        if self._stopped_by is not None and not self._done:
            raise self._stopped_by
        rest_until = None
        if isinstance(self._stopped_by, RateLimited):
            rest_until = clock.now() + asked(self._stopped_by.retry_after)
        return Followed((*self._done, *self._failed), rest_until)

    def _delete(self, copy: Copy) -> Deletion:
        try:
            return self._vendor.delete(copy.what, copy.ref)
        except ValueError:
            unknown = GiveUp("copy_unknown", "this vendor keeps nothing of that kind, as far as we know")
        raise unknown

    def _read_back(self, copy: Copy, told: Deletion | None) -> Stands:
        match told:
            case Later(until=until):
                return Stands(copy.id, RemainsState.BLOCKED, "not_over_yet", retry_at=until)
            case Lapses(until=None):
                return Stands(copy.id, RemainsState.LAPSES)  # nobody can ask whether it is there
        if not self._vendor.gone(copy.what, copy.ref):
            # Not gone is what is read, whatever was said: it is asked for again, or waited for.
            waits = told is None or isinstance(told, Asked)
            state = RemainsState.ACCEPTED if waits else RemainsState.SENT
            return Stands(copy.id, state, "still_there", retry_at=_later(copy))
        left = told.until if isinstance(told, Lapses) else None
        if told is None or isinstance(told, Asked):
            left = self._lapses_at(copy.what, copy.ref)
        return Stands(copy.id, RemainsState.LAPSES if left else RemainsState.CONFIRMED, lapses_at=left)

    def _take(self, copy: Copy, failure: JobError, *, was_asked: bool) -> None:
        """Keep what a failure means for this copy, and whether it means anything for the others."""
        waits = RemainsState.ACCEPTED if was_asked else RemainsState.BLOCKED
        stands = Stands(copy.id, waits, failure.code, retry_at=_later(copy))
        match failure:
            case GiveUp():
                self._done.append(Stands(copy.id, RemainsState.MANUAL, failure.code))
            case RateLimited() | Misconfigured():
                self._stopped_by = failure
                if was_asked and not copy.accepted:
                    self._done.append(stands)  # else it stays as it is: nothing was found out
            case TryAgain() if failure.code.endswith(UNREADY):
                self._done.append(stands)
            case _:
                self._stopped_by = failure
                kept = self._done if was_asked and not copy.accepted else self._failed
                kept.append(stands)


def _later(copy: Copy) -> datetime:
    wait: timedelta = backoff(copy.tries + FIRST_WAIT, _draw)
    return clock.now() + wait
