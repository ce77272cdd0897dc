"""Whether something was said in a conversation, however it was written down.

A guard against models that invent and callers who dictate what to note: a name, a number or an address
counts only when it occurs in the conversation's own text. Recognisers write numbers as digits or as words,
addresses with "at" and "dot", and spell names out letter by letter: all of these count as said.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import Final

from providers.numerals import numerals

WORD: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*|@")
STAMP: Final = re.compile(r"^\s*[\[(][\d:., -]+[\])]\s*")
LABEL: Final = re.compile(r"^\s*([^\W\d_][\w ()-]{0,30}):\s")
UNSPACED: Final = "\u2e80"
"""From here on scripts write words without blanks between them."""

SPOKEN_SIGNS: Final = frozenset({"dot", "point", "period", "underscore", "dash", "hyphen", "minus", "plus"})


class Said:
    """The words of one conversation."""

    def __init__(self, conversation: str) -> None:
        lines = [STAMP.sub("", line) for line in conversation.splitlines()]
        self._words = words("\n".join(lines))
        self._known = frozenset([*self._words, *_spelled(self._words), *_paired(self._words)])
        self._squeezed = "".join(self._words)
        self._addresses = [_address(self._words, letters=letters) for letters in (False, True)]
        self._digits = [_digits(words(" ".join(part))) for part in (lines, *_by_speaker(lines))]

    def has_words(self, name: str) -> bool:
        """Return whether each word of a name was said, whole or spelled out."""
        wanted = words(name)
        if any(character >= UNSPACED for character in name):
            return "".join(wanted) in self._squeezed
        return bool(wanted) and self._known.issuperset(wanted)

    def has_quote(self, quote: str) -> bool:
        """Return whether these words were said in this order, but for a stammer or a filler left out."""
        wanted = words(quote)
        if not wanted:
            return False
        return "".join(wanted) in self._squeezed or occurs(wanted, self._words, spare=len(wanted) // 2)

    def has_digits(self, number: str) -> bool:
        """Return whether these digits were said in this order, but for a repetition or a slip."""
        return bool(number) and any(occurs(number, said, spare=len(number) // 3) for said in self._digits)

    def has_address(self, email: str) -> bool:
        """Return whether this mail address was said, as it is written or as it is spoken."""
        wanted = _address(words(email), letters=True)
        return wanted != "" and any(wanted in address for address in self._addresses)


def words(text: str) -> list[str]:
    """Return the words of a text without case, accents, apostrophes and signs, but with every `@`."""
    bare = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    bare = "".join(character for character in bare if not unicodedata.combining(character))
    return [word.replace("'", "").replace("\u2019", "") for word in WORD.findall(bare)]


def occurs(wanted: Sequence[str], said: Sequence[str], *, spare: int) -> bool:
    """Return whether `wanted` occurs in `said` in its order, with at most `spare` others in between."""
    reach = len(wanted) + spare
    return any(
        first == wanted[0] and _in_order(wanted, said[start : start + reach]) for start, first in enumerate(said)
    )


def _in_order(wanted: Sequence[str], said: Iterable[str]) -> bool:
    rest = iter(said)
    return all(one in rest for one in wanted)


def _spelled(said: Sequence[str]) -> Iterator[str]:
    for single, run in groupby(said, key=lambda word: len(word) == 1):
        if single:
            yield "".join(run)


def _paired(said: Sequence[str]) -> Iterator[str]:
    return (first + second for first, second in pairwise(said))


def _by_speaker(lines: Sequence[str]) -> list[list[str]]:
    """Return each speaker's own lines: the other one repeats digits between a number's halves."""
    parts: dict[str, list[str]] = {}
    for line in lines:
        if label := LABEL.match(line):
            parts.setdefault(label[1].casefold(), []).append(line[label.end() :])
    return list(parts.values())


def _digits(said: Sequence[str]) -> str:
    return "".join(word for word in numerals(said) if word.isdecimal())


def _address(said: Sequence[str], *, letters: bool) -> str:
    spoken = (word for word in numerals(said, letters=letters) if word not in SPOKEN_SIGNS)
    return "".join("@" if word == "at" else word for word in spoken)
