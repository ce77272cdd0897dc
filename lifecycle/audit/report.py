"""What an audit found: where, which needle by its number, how often; and what could not be read."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from lifecycle.audit.search import Search

UNNAMED = "under a name of which the data map says nothing"
"""Why a key proves nothing that nobody classified."""


class Verdict(StrEnum):
    """What a probe says."""

    CLEAN = "clean"
    FOUND = "found"
    UNKNOWN = "unknown"  # it could not read all, or did not find what it planted: nothing is proved


@dataclass(slots=True)
class Finding:
    """What one probe found."""

    probe: str
    scope: str
    unit: str
    scanned: int = 0
    hits: Counter[tuple[str, int]] = field(default_factory=Counter)
    unread: list[tuple[str, str]] = field(default_factory=list)
    planted: dict[str, frozenset[int]] = field(default_factory=dict)
    """Which needles were planted at which places, of a probe that proves itself."""

    def note(self, place: str, found: Mapping[int, int]) -> None:
        """Add what was found at a place."""
        for needle, count in found.items():
            self.hits[place, needle] += count

    def cannot(self, place: str, why: str) -> None:
        """Say that a place could not be read."""
        self.unread.append((place, why))

    def expect(self, place: str, search: Search, can_be_there: Callable[[str], bool] = lambda _: True) -> None:
        """Say that each needle was planted at a place, but for those that cannot be there."""
        self.planted[place] = frozenset(at for at, each in enumerate(search.needles) if can_be_there(each.value))

    def unseen(self, search: Search) -> list[str]:
        """Return the forms that were planted at some place and not found there; all, where nothing was planted."""
        if not self.planted:
            return sorted({each.form for each in search.needles})
        places = self.planted.items()
        unseen = (at for place, needles in places for at in needles if not self.hits[place, at])
        return sorted({search.needles[at].form for at in unseen})


@dataclass(frozen=True, slots=True)
class Told:
    """A finding, weighed: what is kept for a reason, what is weak, and what must not be there."""

    finding: Finding
    hits: Mapping[tuple[str, int], int]
    kept: Mapping[tuple[str, int], int]
    weak: Mapping[tuple[str, int], int]

    @property
    def verdict(self) -> Verdict:
        """What it comes to: a place that could not be read proves nothing, whatever else was found."""
        if self.finding.unread:
            return Verdict.UNKNOWN
        return Verdict.FOUND if self.hits else Verdict.CLEAN

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, with needles by their numbers."""
        return {
            "probe": self.finding.probe,
            "verdict": str(self.verdict),
            "scope": self.finding.scope,
            "scanned": self.finding.scanned,
            "unit": self.finding.unit,
            "hits": _listed(self.hits),
            "kept": _listed(self.kept),
            "weak": _listed(self.weak),
            "unread": [{"place": place, "why": why} for place, why in self.finding.unread],
        }


def weigh(finding: Finding, search: Search, keep: Collection[str]) -> Told:
    """Sort what was found; `keep` are patterns of places that may hold it, for the map's own reasons."""
    sorted_in: dict[str, dict[tuple[str, int], int]] = {"hits": {}, "kept": {}, "weak": {}}
    for (place, needle), count in sorted(finding.hits.items()):
        if any(fnmatchcase(place, pattern) for pattern in keep):
            sorted_in["kept"][place, needle] = count
        else:
            sorted_in["weak" if search.is_weak(needle) else "hits"][place, needle] = count
    return Told(finding, **sorted_in)


def verdict_of(told: Collection[Told]) -> Verdict:
    """Return what all probes come to: one that is unknown blocks, and one that found something weighs more."""
    verdicts = {each.verdict for each in told}
    if any(each.hits for each in told):
        return Verdict.FOUND
    return Verdict.UNKNOWN if Verdict.UNKNOWN in verdicts or not told else Verdict.CLEAN


def _listed(found: Mapping[tuple[str, int], int]) -> list[dict[str, Any]]:
    return [{"place": place, "needle": needle, "count": count} for (place, needle), count in found.items()]


def because(error: Exception) -> str:
    """Return why something could not be read: a class and a code, since words may quote what was read."""
    told = getattr(error, "response", None)  # as the SDK of object stores has it
    code = told.get("Error", {}).get("Code") if isinstance(told, Mapping) else getattr(error, "code", None)
    code = code or getattr(getattr(error, "orig", None) or error, "sqlstate", None)
    return f"{type(error).__name__} {code}" if code and isinstance(code, str) else type(error).__name__
