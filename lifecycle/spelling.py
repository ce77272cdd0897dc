"""How a number or address may be written: what a text that names it exactly looks like, and what may name it.

The patterns are read alike by Python and by PostgreSQL.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from providers.e164 import at_home, e164

GAP = r"[\s().\/-]*"
"""What may stand between digits, as nexara.needles has it."""
DIGITS = re.compile(r"\+?[0-9]{7,20}")
LAST = 8
"""The digits that a number is looked for by, as nexara.needles has it."""
LONGEST = 15
SHORTEST_OTHER = 8


@dataclass(frozen=True, slots=True)
class Spelled:
    """One number, address or session id; `needle` is what mentions has of a text that may name it."""

    exact: str
    needle: str | None = None
    digits: str = ""
    elsewhere: str = ""

    def replace(self, told: str, by: str) -> str:
        """Return a text in which it stands no more."""
        return re.sub(self.exact, by, told, flags=re.IGNORECASE)

    def is_in(self, told: str) -> bool:
        """Whether a text names it exactly."""
        return re.search(self.exact, told, flags=re.IGNORECASE) is not None

    def may_be_in(self, told: str) -> bool:
        """Whether a text has digits that may stand for it, and may stand for somebody else: its last ones alone."""
        if not self.digits:
            return False
        end = re.compile(_spaced(self.digits[-LAST:]) + "(?![0-9])")
        return any(self._is_doubtful(told[: found.start()], found.group()) for found in end.finditer(told))

    def _is_doubtful(self, before: str, last: str) -> bool:
        run = re.search(r"\+?[0-9\s().\/-]*$", before)
        digits = re.sub(r"\D", "", (run.group() if run else "") + last)
        short = digits.removeprefix("00")
        # Longer than any number is: two stand side by side, and nobody knows where the second one begins.
        return self.digits.endswith(short) or digits == self.elsewhere or len(digits) > LONGEST


def spelled(value: str, country: str) -> Spelled | None:
    """Return how an identifier may be written in a business of this country; None for one too short to tell."""
    if "@" in value:
        told = re.escape(value.lower())
        return Spelled(
            exact=rf"(?<![A-Za-z0-9._%+-]){told}(?![A-Za-z0-9-]|\.[A-Za-z0-9])",
            needle=value.lower(),
        )
    if DIGITS.fullmatch(value):
        number = e164("+" + value.removeprefix("+"), country)
        if number is not None:
            return _number(number.text.removeprefix("+"), number.national_digits, country)
    if len(value) < SHORTEST_OTHER:
        return None
    return Spelled(exact=rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])")


def _number(digits: str, national: str, country: str) -> Spelled:
    code = digits[: len(digits) - len(national)]
    # +353 86…, 00353 86…, 353 86…, and +353 (0)86…
    ways = [
        rf"\(?(?:(?:\+|00|011){GAP})?{_spaced(code)}{GAP}(?:0{GAP})?{_spaced(national)}",
    ]
    home = at_home("+" + digits, country)
    if home is not None:
        ways.append(rf"\(?{_spaced(home)}")
    exact = "|".join(ways)
    return Spelled(
        exact=rf"(?<![0-9])(?:{exact})(?![0-9])",
        needle=digits[-LAST:],
        digits=digits,
        elsewhere="" if home else "0" + national,
    )


def _spaced(digits: str) -> str:
    return GAP.join(digits)


def forms(value: str, country: str) -> list[str]:
    """Return the forms in which what somebody typed may be kept: lower case, E.164, the digits alone, as it stands."""
    told = value.strip()
    found = {told, told.lower()}
    if "@" not in told:
        number = e164(told, country) or e164("+" + re.sub(r"\D", "", told), country)
        if number is not None:
            found |= {number.text, number.text.removeprefix("+")}
    return sorted(each for each in found if each)


def normal(value: str, country: str) -> str:
    """Return the one form under which what somebody typed is kept."""
    told = value.strip()
    if "@" in told:
        return told.lower()
    number = e164(told, country)
    return number.text if number is not None else told


def in_json(told: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON value in which every string was changed; keys stay, since they are ours."""
    if isinstance(told, str):
        return change(told)
    if isinstance(told, list):
        return [in_json(each, change) for each in told]
    if isinstance(told, dict):
        return {key: in_json(each, change) for key, each in told.items()}
    return told


def replaced(told: Any, known: Iterable[Spelled], by: str) -> Any:
    """Return a text, or a JSON value, in which none of these is named exactly any more."""

    def change(one: str) -> str:
        for each in known:
            one = each.replace(one, by)
        return one

    return in_json(told, change)


def names(told: Any, known: Sequence[Spelled]) -> tuple[bool, bool]:
    """Say whether a text, or a JSON value, names one of these exactly; and whether it may otherwise."""
    found = {"exact": False, "doubtful": False}

    def look(one: str) -> str:
        for each in known:
            found["exact"] = found["exact"] or each.is_in(one)
            found["doubtful"] = found["doubtful"] or each.may_be_in(each.replace(one, " | "))
        return one

    in_json(told, look)
    return found["exact"], found["doubtful"]
