"""What becomes of a copy that a vendor keeps, once it was told to delete it.

None of these is a proof: that a copy is gone is read back, by the same vendor's `gone`.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Gone:
    """The vendor has deleted it, or had none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The vendor has taken the request and will delete it by and by."""


@dataclass(frozen=True, slots=True)
class Later:
    """The vendor will not delete it yet; ask again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Lapses:
    """What the vendor still keeps of it goes by itself at `until`, and not by us; None where it says not when."""

    until: datetime | None


Deletion = Gone | Asked | Later | Lapses
