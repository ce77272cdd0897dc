"""Numbers as they are said, in digits: a transcript has "oh seven seven double oh" where a form has 07700.

English alone, as calls are heard; what is said in another language is found where it was written in digits.
"""

import re

from providers.numerals import TENS, TIMES, WHOLE, ZEROS, numerals

WORDS = "|".join(sorted({*WHOLE, *ZEROS, *TENS, *TIMES}, key=len, reverse=True))
FEWEST = 4
"""Words that make a run: fewer are a time or a price, and no number is told by them."""
RUN = re.compile(rf"\b(?:{WORDS}|[0-9]+)(?:[\s,.;:-]+(?:and\s+)?(?:{WORDS}|[0-9]+)){{{FEWEST - 1},}}\b")
TOKEN = re.compile(r"[a-z]+|[0-9]+")


def in_digits(lower: str) -> str:
    """Return a text, in lower case, in which every run of numbers that are said is one number in digits."""
    return RUN.sub(lambda run: "".join(numerals([w for w in TOKEN.findall(run.group()) if w != "and"])), lower)
