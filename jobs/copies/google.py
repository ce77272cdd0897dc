"""copies.google: a business's bookings go from its members' calendars, and then the access that we had to those.

A row says which event it is and not in whose calendar: each is looked for in every calendar that the business has
connected, and is gone when none of them has it. An access that the business gave back, or its member did, is one by
which nobody can look: an event that might lie there is somebody's to delete by hand.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, aliased

from jobs.copies.asking import Copies, Followed, follow
from jobs.copies.following import Keeping
from jobs.copies.payloads import FollowGoogle
from ledger.errors import GiveUp, Misconfigured
from ledger.job import vendor_job
from ledger.outcome import Known
from ledger.payload import Payload
from models.connections import Connects, Integration
from models.traces import TO_DO, Remains
from providers.copies import Deletion, Gone
from providers.vendors import Vendors

if TYPE_CHECKING:
    from providers.google import Access, Google

Found = TypeVar("Found")

ACCESS = "access"
EVENT = "event"
GONE = "google_access_gone"
LOST = frozenset({GONE, "google_scope_missing"})
"""The codes of what keeps us out of one calendar for good; a key of ours that is missing is to be mended instead."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is to go, and the sealed tokens of the calendars in which it may lie."""

    copies: Copies
    tokens: tuple[str, ...] = field(repr=False)


@vendor_job(FollowGoogle)
class OfGoogle(Keeping):
    """Follow up what is in calendars; the access to them goes last."""

    store = "google"

    def load(self, db: Session, payload: Payload) -> Due | Known[Followed]:  # noqa: ARG002 - the business is the scope
        """Find what is due, and every token there is: of calendars still connected, and of those that are let go of."""
        copies = self.due(db)
        if not copies:
            return Known(Followed())
        connected = select(Integration.token).where(
            Integration.vendor == Connects.GOOGLE, Integration.token.is_not(None)
        )
        let_go = select(Remains.ref).where(*super()._mine(), Remains.what == ACCESS)
        tokens = {token for token in (*db.scalars(connected), *db.scalars(let_go)) if token}
        return Due(copies, tuple(sorted(tokens)))

    def call(self, given: Due, vendors: Vendors) -> Followed:
        """Ask Google, with one token after the other."""
        return follow(given.copies, Calendars(vendors.google, given.tokens))

    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        """As everywhere, but an access only when no event waits that may need it."""
        other = aliased(Remains)
        waits = exists().where(other.store == self.store, other.what == EVENT, other.state.in_(TO_DO))
        return *super()._mine(), (Remains.what != ACCESS) | ~waits


class Calendars:
    """The calendars of one business, each opened when it is first needed."""

    def __init__(self, google: "Google", tokens: Sequence[str]) -> None:
        self._google = google
        self._shut: list[str] = list(tokens)
        self._open: list[Access] = []
        self._found: set[str] = set()
        self._lost = not tokens

    def delete(self, what: str, ref: str) -> Deletion:
        """Delete an event in whichever calendar has it, or give an access back."""
        if what == ACCESS:
            self._google.revoke(self._google.opened(ref))
        elif what == EVENT:
            for access in self._each():
                if self._has(access, ref):
                    self._google.delete_event(access, ref)
                    self._found.add(ref)
        else:
            raise ValueError(f"Google keeps no {what}")
        return Gone()

    def gone(self, what: str, ref: str) -> bool:
        """Return whether no calendar has the event, or the token opens none any more.

        Raises GiveUp where a calendar cannot be looked into, unless the event was found, and deleted, in another.
        """
        if what == ACCESS:
            return self._is_revoked(ref)
        if any(self._has(access, ref) for access in self._each()):
            return False
        if self._lost and ref not in self._found:
            raise GiveUp(GONE, "the business has disconnected a calendar in which it may lie")
        return True

    def _is_revoked(self, sealed: str) -> bool:
        try:
            self._google.refresh(self._google.opened(sealed))
        except Misconfigured as refused:
            if refused.code != GONE:
                raise
            return True
        return False

    def _each(self) -> Iterator["Access"]:
        """Yield the access to each calendar that still lets us in."""
        yield from list(self._open)
        while self._shut:
            access = self._unless_lost(lambda: self._google.refresh(self._google.opened(self._shut[-1])), None)
            self._shut.pop()
            if access is not None:
                self._open.append(access)
                yield access

    def _has(self, access: "Access", ref: str) -> bool:
        return self._unless_lost(lambda: self._google.has_event(access, ref), otherwise=False)

    def _unless_lost(self, call: Callable[[], Found], otherwise: Found) -> Found:
        """Return what a calendar answers, and `otherwise` where it lets us in no more, which is kept in mind."""
        try:
            return call()
        except Misconfigured as refused:
            if refused.code not in LOST:
                raise
        self._lost = True
        return otherwise
