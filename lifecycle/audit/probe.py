"""What a probe is: it scans one kind of place, and shows beforehand that it would find what lies there."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Protocol

from lifecycle.audit.canary import canary
from lifecycle.audit.report import Finding, Told, because, weigh
from lifecycle.audit.search import Search


class Probe(Protocol):
    """One kind of place."""

    name: str

    def scan(self, search: Search) -> Finding:
        """Read all of it."""

    def planted(self, search: Search) -> Finding:
        """Plant each needle there, read it by the same means, and take it away again."""


def audit(
    probes: Iterable[Probe],
    search: Search,
    *,
    keep: Collection[str] = (),
    salts: Collection[bytes] = (),
    begin: Callable[[str], None] = lambda _: None,
) -> Iterator[Told]:
    """Yield what each probe says; `begin` is told before each its name. No error ends an audit: it makes it unknown."""
    for probe in probes:
        begin(probe.name)
        yield weigh(_proved(probe, search, tuple(salts)), search, keep)


def _proved(probe: Probe, search: Search, salts: tuple[bytes, ...]) -> Finding:
    made_up = canary(salts)
    try:
        unseen = probe.planted(made_up).unseen(made_up)
        finding = probe.scan(search)
    except Exception as error:  # noqa: BLE001 - whatever kept it from reading, it proves nothing
        finding = Finding(probe.name, "could not be read", "places")
        finding.cannot(probe.name, because(error))
        return finding
    if unseen:
        finding.cannot(probe.name, f"did not find what it planted: {', '.join(unseen)}")
    return finding
