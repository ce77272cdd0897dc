"""Every version of every object: its key, metadata and tags, and a small one whole; and uploads that never ended."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from lifecycle.audit.canary import texts
from lifecycle.audit.report import UNNAMED, Finding, because
from lifecycle.audit.search import Search
from providers.stored import Stored

SMALL = 1024 * 1024
"""Bytes: what is larger is sound or a picture; only its key and what is said of it are searched."""
PARTS = ("key", "about", "body")

Listing = Callable[[str], Iterable[Stored]]
"""Lists everything whose key begins with a prefix, "" for all; an error in the middle makes the probe unknown."""
Planting = Callable[[Iterable[str]], AbstractContextManager[str]]
"""Stores an object for each text, which is in its body, its key and, if ASCII, its metadata; gives their prefix."""


Named = Callable[[Stored], bool]
"""Says whether an object's key has a place in the data map; other buckets than ours are read, and not asked about."""


class Objects:
    """The probe; `plant` is how it proves itself in this store. A name that nobody classified blocks."""

    name = "objects"

    def __init__(self, listing: Listing, plant: Planting, named: Named = lambda _: True) -> None:
        self._listing = listing
        self._plant = plant
        self._named = named

    def scan(self, search: Search) -> Finding:
        """Read all buckets."""
        finding = Finding(self.name, "every version, marker and unfinished upload of all buckets", "objects")
        _read(self._noted(finding, search), search, finding)
        return finding

    def planted(self, search: Search) -> Finding:
        """Plant objects of its own, and take them away again."""
        finding = Finding(self.name, "objects of its own", "objects")
        with self._plant(texts(search)) as prefix:
            _read(self._listing(prefix), search, finding)
        for (place, needle), count in list(finding.hits.items()):
            finding.hits[place.partition(" ")[0], needle] += count
        for part in PARTS:
            finding.expect(part, search, str.isascii if part == "about" else lambda _: True)
        return finding

    def _noted(self, finding: Finding, search: Search) -> Iterable[Stored]:
        for each in self._listing(""):
            if not self._named(each):
                finding.cannot(f"{each.what} {each.bucket}/{search.place(each.key)}", UNNAMED)
            yield each


def _read(listed: Iterable[Stored], search: Search, finding: Finding) -> None:
    for each in listed:
        finding.scanned += 1
        place = f"of {each.what} {each.bucket}/{search.place(each.key)}"
        finding.note(f"key {place}", search.find(each.key))
        finding.note(f"about {place}", search.find("\n".join(each.about)))
        if each.read is None or each.size > SMALL:
            continue
        try:
            finding.note(f"body {place}", search.find_bytes(each.read()))
        except Exception as error:  # noqa: BLE001 - one that cannot be read must not hide the others
            finding.cannot(f"body {place}", because(error))
