"""Finds what callers say of themselves: their name, their number, their address."""

import re
from collections.abc import Iterator
from itertools import groupby, takewhile

from providers.numerals import numerals
from sandbox.vendors.conversation import Conversation

PERSON = r"[A-Z][\w'\u2019-]+(?: (?:[A-Z][\w'\u2019-]+|van|von|de|da|del|al)){0,3}"
INTRODUCED = re.compile(rf"\b(?i:my name is|my name's|the name is|name:|this is|i am|i'm) ({PERSON})")
HERE = re.compile(rf"\b({PERSON}) (?:here|speaking)\b")
SIGNED = re.compile(r"\b([A-Z][\w'\u2019-]+(?: [A-Z][\w'\u2019-]+){1,2}),? (?:on |at )?[+(]?\d[\d ()-]{5,}")
QUIETLY = re.compile(r"\bmy name(?: is|'s) ([a-z'-]+(?: [a-z'-]+)?)")
ASKS_NAME = re.compile(r"\bname\b", re.IGNORECASE)
ALONE = re.compile(rf"(?:[Ii]t is |[Ii]t's |[Yy]es, )?({PERSON})[.!]?")
NO_NAME = frozenset(
    {
        "a",
        "an",
        "and",
        "at",
        "because",
        "but",
        "calling",
        "can",
        "could",
        "for",
        "from",
        "good",
        "hello",
        "hi",
        "i",
        "in",
    }
    | {
        "is",
        "it",
        "just",
        "my",
        "need",
        "no",
        "not",
        "of",
        "oh",
        "okay",
        "on",
        "please",
        "right",
        "so",
        "sorry",
        "sure",
    }
    | {"speaking", "thank", "thanks", "that", "the", "there", "this", "to", "very", "we", "well", "what", "when", "yes"}
    | {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "new", "you"}
)

ASKS_NUMBER = re.compile(r"\b(number|phone|mobile|call you|reach you|ring you)\b", re.IGNORECASE)
SAME_NUMBER = re.compile(
    r"\b(this|the same|my) number (is|will be) (fine|good|ok|okay|best)"
    r"|\bnumber (that )?(i'm|i am) (calling|writing|texting) from\b|\b(on|use|to) (this|the same) number\b",
    re.IGNORECASE,
)
DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b")
FEWEST, MOST, FEWEST_UNASKED = 7, 15, 10

WRITTEN = re.compile(r"[\w.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
ENDING = r"(?:com|org|net|info|biz|edu|io|eu|us|uk|de|fr|es|it|nl|ie|ch|at|ca|au)"
SPOKEN = re.compile(
    rf"([\w-]+(?:(?:\.| dot | underscore | dash | hyphen )[\w-]+)*) at "
    rf"([\w-]+(?:(?:\.| dot )[\w-]+)*(?:\.| dot ){ENDING})\b",
    re.IGNORECASE,
)
BROKEN_NAME = re.compile(r"(^|[.!?] )([A-Z]\w+)\. (?=\w+ at \w+)")
SIGNS = {" dot ": ".", " underscore ": "_", " dash ": "-", " hyphen ": "-"}


def name(conversation: Conversation) -> str | None:
    """Return the caller's name as it stands in the conversation."""
    return next((found for before, said in conversation.answers() for found in _names(before, said)), None)


def _names(before: str, said: str) -> Iterator[str]:
    found = [*INTRODUCED.findall(said), *HERE.findall(said), *SIGNED.findall(said), *QUIETLY.findall(said)]
    if ASKS_NAME.search(before) and (alone := ALONE.match(said)):
        found.append(alone[1])
    for words in map(str.split, found):
        kept = list(takewhile(lambda word: word.lower() not in NO_NAME, words))
        if kept:
            yield " ".join(kept)


def phone(conversation: Conversation) -> str | None:
    """Return the digits at which the caller wants to be reached, the last that were said."""
    found = None
    for before, said in conversation.answers():
        fewest = FEWEST if ASKS_NUMBER.search(before + said) else FEWEST_UNASKED
        for digits in _numbers(said):
            if fewest <= len(digits.lstrip("+")) <= MOST:
                found = digits
        if SAME_NUMBER.search(said) and conversation.caller_number:
            found = conversation.caller_number
    return found


def _numbers(said: str) -> Iterator[str]:
    """Yield each run of digits, said one by one or in groups, with "double" and "oh" as people say them."""
    marked = DATE.sub(" ; ", said.lower()).replace("+", " plus ")
    words = list(numerals(re.findall(r"[a-z]+|\d+|;", marked)))
    plus = False
    for is_number, run in groupby(words, key=str.isdecimal):
        group = list(run)
        if is_number:
            yield ("+" if plus else "") + "".join(group)
        plus = not is_number and group[-1] == "plus"


def email(conversation: Conversation) -> str | None:
    """Return the caller's address, written with its signs, the last that was said."""
    found = None
    for _, said in conversation.answers():
        written = WRITTEN.findall(said)
        spoken = [_address(*one) for one in SPOKEN.findall(BROKEN_NAME.sub(r"\1\2.", said))]
        found = next(iter([*reversed(written), *reversed(spoken)]), found)
    return found


def _address(local: str, domain: str) -> str:
    address = f"{local}@{domain}".lower()
    for word, sign in SIGNS.items():
        address = address.replace(word, sign)
    return address
