"""Spoken numbers as digits, the way telephone numbers are said in English."""

from collections.abc import Iterator, Sequence
from typing import Final

TO_NINE: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TO_NINETEEN: Final = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TO_NINETY: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

UNITS: Final = {word: str(number) for number, word in enumerate(TO_NINE)}
ZEROS: Final = {"oh": "0", "o": "0", "nought": "0", "naught": "0"}
TEENS: Final = {word: str(number) for number, word in enumerate(TO_NINETEEN, start=10)}
TENS: Final = {word: str(number) for number, word in enumerate(TO_NINETY, start=2)}
TIMES: Final = {"double": 2, "triple": 3, "treble": 3}
WHOLE: Final = UNITS | TEENS | {"hundred": "00"}


def numerals(said: Sequence[str], *, letters: bool = False) -> Iterator[str]:
    """Yield the words, but numbers as digits: "double five" is 55, "forty two" 42, "hundred" 00.

    An "o" is a zero unless what is spelled is `letters`.
    """
    whole = WHOLE if letters else WHOLE | ZEROS
    rest = iter(zip(said, [*said[1:], ""], strict=False))
    for word, after in rest:
        if word in TIMES and (digit := _digit(after)):
            yield digit * TIMES[word]
            next(rest)
        elif word in TENS and UNITS.get(after, "0") != "0":
            yield TENS[word] + UNITS[after]
            next(rest)
        elif word in TENS:
            yield TENS[word] + "0"
        else:
            yield whole.get(word, word)


def _digit(word: str) -> str | None:
    return word if len(word) == 1 and word.isdecimal() else (UNITS | ZEROS).get(word)
