"""The vendors' own answers to whether they still have what was named: a call, a recording, a message."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from lifecycle.audit.report import Finding, because
from lifecycle.audit.search import Search

Gone = Callable[[str, str], bool]
"""Asks a vendor whether it has no copy of such a thing, by its id, any more."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that a vendor had."""

    store: str
    what: str
    ref: str


class Copies:
    """The probe; `vendors` are those that can be asked, by the name of the store.

    `cannot` says why of what cannot be asked for, by "store" or "store what": that proves nothing.
    """

    name = "vendors"

    def __init__(
        self, copies: Sequence[Copy], vendors: Mapping[str, Gone], cannot: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._copies = copies
        self._vendors = vendors
        self._cannot = cannot

    def scan(self, search: Search) -> Finding:
        """Ask for each copy."""
        return _asked(self._copies, self._vendors, search, "copies that were named", self._cannot)

    def planted(self, search: Search) -> Finding:
        """Ask of a vendor that still has everything: nothing can be planted at a real one."""
        copies = [Copy("made_up", "call", needle.value) for needle in search.needles]
        finding = _asked(copies, {"made_up": lambda _what, _ref: False}, search, "copies that nobody has deleted", {})
        finding.expect("made_up call", search)
        return finding


def _asked(
    copies: Sequence[Copy], vendors: Mapping[str, Gone], search: Search, scope: str, cannot: Mapping[str, str]
) -> Finding:
    finding = Finding("vendors", f"{len(copies)} {scope}", "copies")
    for copy in copies:
        place = f"{copy.store} {copy.what}"
        why = cannot.get(place) or cannot.get(copy.store)
        if why or copy.store not in vendors:
            finding.cannot(place, why or "no such vendor can be asked")
            continue
        try:
            finding.scanned += 1
            if not vendors[copy.store](copy.what, copy.ref):
                finding.note(place, search.find(copy.ref))
        except Exception as error:  # noqa: BLE001 - one that does not answer must not hide the others
            finding.cannot(place, because(error))
    return finding
