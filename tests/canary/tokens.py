"""Words, numbers, addresses and ids that stand nowhere else in the world, each made for one column and remembered."""

import random
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from uuid import UUID

from ledger import clock
from lifecycle.audit.needles import Kind, Subject

LETTERS = "".join(letter for letter in string.ascii_lowercase if letter not in "aeiou")
"""Without vowels: nothing that is made of them is a word of anybody's."""

VENDORS = ("twilio", "telnyx", "vapi", "elevenlabs", "meta", "360dialog", "google")


@dataclass
class Tokens:
    """The tokens of one who is planted: the same in each run, and nobody else's."""

    whose: str
    made: dict[Subject, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def word(self, place: str) -> str:
        """Return a word of letters."""
        return self._keep(place, Kind.TEXT, "".join(self._chance(place).choices(LETTERS, k=14)))

    def short(self, place: str) -> str:
        """Return a word of eight letters."""
        return self._keep(place, Kind.TEXT, "".join(self._chance(place).choices(LETTERS, k=8)))

    def ref(self, place: str, begins: str = "") -> str:
        """Return a vendor's id, whichever vendor's."""
        ref = begins + self.word(place)
        for vendor in VENDORS:
            self.made[Subject(Kind.REF, ref, vendor)] = place
        return ref

    def text(self, place: str) -> str:
        """Return a sentence that names a number and an address of its own, as people's sentences do."""
        return f"{self.word(place)} said {self.word(place)}: ring {self.phone(place)} or {self.email(place)}"

    def phone(self, place: str) -> str:
        """Return a number, E.164."""
        return self._keep(place, Kind.PHONE, f"+4478{self._chance(place).randrange(10**7, 10**8)}")

    def email(self, place: str) -> str:
        """Return an address, in lower case."""
        local = "".join(self._chance(place).choices(LETTERS, k=12))
        return self._keep(place, Kind.EMAIL, f"{local}@{local[::-1]}.example.com")

    def id(self, place: str) -> str:
        """Return a UUID."""
        return self._keep(place, Kind.ID, str(UUID(int=self._chance(place).getrandbits(128), version=4)))

    def hex(self, place: str) -> str:
        """Return 64 digits as of a digest."""
        return self._keep(place, Kind.TEXT, f"{self._chance(place).getrandbits(256):064x}")

    def number(self, place: str) -> int:
        """Return a number of nine digits."""
        made = self._chance(place).randrange(10**8, 10**9)
        self._keep(place, Kind.TEXT, str(made))
        return made

    def moment(self, place: str) -> str:
        """Return a moment of yesterday, to the microsecond: its time of day is what is looked for."""
        chance = self._chance(place)
        hour, minute, second = (chance.randrange(n) for n in (24, 60, 60))
        time = f"{hour:02}:{minute:02}:{second:02}.{chance.randrange(10**5, 10**6, 2) | 1}"
        self._keep(place, Kind.TEXT, time)
        return f"{clock.now() - timedelta(days=1):%Y-%m-%d} {time}+00"

    def known(self, place: str, kind: Kind, value: str) -> str:
        """Remember a value that somebody else made."""
        return self._keep(place, kind, value)

    def _chance(self, place: str) -> random.Random:
        return random.Random(f"{self.whose}/{place}/{next(self.numbers)}")

    def _keep(self, place: str, kind: Kind, value: str) -> str:
        self.made[Subject(kind, value)] = place
        return value
