"""Looking for needles in texts, however a number is grouped, and whether it is written or said."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

from lifecycle.audit.needles import Needle
from lifecycle.audit.spoken import in_digits

BETWEEN = re.compile(r"(?<=\d)[ \u00a0().\-/]{1,3}(?=\d)")
"""What people put between the digits of a number."""


class Search:
    """Needles, ready to be looked for; they are told by their place among them, never by their value."""

    def __init__(self, needles: Sequence[Needle]) -> None:
        self.needles = tuple(needles)
        self._numbers = [(at, each.value) for at, each in enumerate(needles) if each.value.isdigit()]
        self._others = [(at, each.value) for at, each in enumerate(needles) if not each.value.isdigit()]

    def __bool__(self) -> bool:
        return bool(self.needles)

    def find(self, text: str) -> Counter[int]:
        """Count each needle in a text, in upper or lower case, and however deep it is escaped in JSON within JSON."""
        lower = text.lower().replace("\\", "")
        found = Counter({at: lower.count(value) for at, value in self._others if value in lower})
        if self._numbers:
            for squeezed in {lower, BETWEEN.sub("", lower), BETWEEN.sub("", in_digits(lower))}:
                for at, value in self._numbers:
                    if value in squeezed:
                        found[at] = max(found[at], squeezed.count(value))
        return found

    def find_bytes(self, data: bytes) -> Counter[int]:
        """Count each needle in bytes that may be text."""
        return self.find(data.decode("utf-8", "replace"))

    def is_weak(self, at: int) -> bool:
        """Whether a needle may well be of somebody else."""
        return self.needles[at].weak

    def place(self, name: str) -> str:
        """Return the name of a place; where that itself names somebody, a digest that leads to it."""
        if not self.find(name):
            return name
        return f"sha256 {hashlib.sha256(name.encode()).hexdigest()[:16]}"
