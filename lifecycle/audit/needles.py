"""Every spelling in which somebody's number, address, name or id may lie somewhere."""

import base64
import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, quote_plus
from uuid import UUID


class Kind(StrEnum):
    """What a line of what is looked for tells."""

    PHONE = "phone"  # E.164
    EMAIL = "email"
    NAME = "name"
    ID = "id"  # of a row of ours
    REF = "ref"  # a vendor's id: `ref twilio/call CA0123`
    TEXT = "text"  # anything else, such as a token that was planted


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that is looked for; of a vendor's id, at which vendor, and what it is there."""

    kind: Kind
    value: str
    vendor: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class Needle:
    """One spelling: its subject's place among the subjects, its form, and what to look for: lower case, no backslash.

    A weak one may well be of somebody else: it is told, and fails nothing.
    """

    of: int
    form: str
    value: str
    weak: bool = False


class NotUnderstood(ValueError):
    """A line of what is to be looked for cannot be read; it says which, and never what is in it."""


SHORTEST = 6
"""Characters: what is shorter is found everywhere."""
EXAMPLE = (
    "phone +12125550100, email a@example.com, name Anna Smith, id <UUID>, ref twilio/call CA0123, "
    "text <at least 6 characters>"
)


def read(lines: Iterator[str]) -> list[Subject]:
    """Read what is to be looked for, a line each; raises NotUnderstood with the number of a line it cannot read."""
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            try:
                found.append(_subject(line.strip()))
            except ValueError:
                raise NotUnderstood(f"line {number} is none of: {EXAMPLE}") from None
    return found


def spellings(subjects: Sequence[Subject], salts: Sequence[bytes] = ()) -> list[Needle]:
    """Return every needle of these subjects, each value once; `salts` are those of our own digests."""
    found: dict[str, Needle] = {}
    for of, subject in enumerate(subjects):
        for form, value, weak in _forms(subject, salts):
            plain = value.lower().replace("\\", "")  # as what is searched
            if len(plain) >= SHORTEST:
                found.setdefault(plain, Needle(of, form, plain, weak))
    return list(found.values())


def _subject(line: str) -> Subject:
    kind, _, value = line.partition(" ")
    told = Kind(kind)
    value, vendor, what = value.strip(), "", ""
    if told is Kind.REF:
        store, _, value = value.partition(" ")
        vendor, _, what = store.partition("/")
    if told is Kind.ID:
        value = str(UUID(value))
    if told is Kind.PHONE and not re.fullmatch(r"\+[1-9][0-9]{6,14}", value):
        raise ValueError(kind)
    if told is Kind.EMAIL and not re.fullmatch(r"[^\s@]+@[^\s@]+", value):
        raise ValueError(kind)
    if len(value) < SHORTEST and told is not Kind.NAME:
        raise ValueError(kind)
    return Subject(told, value, vendor, what)


Form = tuple[str, str, bool]


def _forms(subject: Subject, salts: Sequence[bytes]) -> Iterator[Form]:
    match subject.kind:
        case Kind.PHONE:
            yield from _phone(subject.value)
            yield from _keyed(subject.value, salts)
        case Kind.EMAIL:
            yield from _email(subject.value)
            yield from _keyed(subject.value.lower(), salts)
        case Kind.NAME:
            yield from _name(subject.value)
        case Kind.ID:
            yield from (("dashed", subject.value, False), ("undashed", subject.value.replace("-", ""), False))
        case Kind.REF:
            yield "as_it_is", subject.value, False
            yield from _coded("", subject.value)
            yield "event_key", hashlib.sha256(f"{subject.vendor}:{subject.value}".encode()).hexdigest(), False
        case Kind.TEXT:
            yield "as_it_is", subject.value, False
            yield from _coded("", subject.value)


def _phone(number: str) -> Iterator[Form]:
    """Spell a number; what stands between digits is left out of what is searched, so that no grouping matters."""
    digits, home = number[1:], _at_home(number)
    yield "digits", digits, False
    yield "national", home, len(home) < len(digits) - 3
    yield "with_zero_in_brackets", digits.removesuffix(home.lstrip("0")) + "0" + home.lstrip("0"), False
    yield "last_9", digits[-9:], True
    yield "last_7", digits[-7:], True
    for form, value in (("e164", number), ("digits", digits), ("national", home), ("00", f"00{digits}")):
        yield from _coded(f"{form}_", value)
    yield "json_escaped", f"u002b{digits}", False


def _email(address: str) -> Iterator[Form]:
    lower = address.lower()
    local, _, domain = lower.partition("@")
    yield "lower", lower, False
    yield "url", f"{quote(local, safe='')}%40{domain}", False
    yield "url_plain", f"{local}%40{domain}", False
    yield "without_tag", f"{local.partition('+')[0]}@{domain}", False
    for form, value in (("", lower), ("upper_", lower.upper()), ("as_typed_", address)):
        yield from _coded(form, value)


def _name(name: str) -> Iterator[Form]:
    parts = name.split()
    weak = len(parts) < 2  # noqa: PLR2004 - one word may be anybody's
    for form, spelled in (("", " ".join(parts)), ("folded_", _folded(" ".join(parts)))):
        turned = [spelled.split()[-1], *spelled.split()[:-1]]
        yield f"{form}full", spelled, weak
        if not weak:
            yield f"{form}reversed", " ".join(turned), False
            yield f"{form}with_comma", f"{turned[0]}, {' '.join(turned[1:])}", False
            yield f"{form}dotted", spelled.replace(" ", "."), False
            yield f"{form}underscored", spelled.replace(" ", "_"), False
        yield f"{form}url", quote(spelled), weak
        yield f"{form}form", quote_plus(spelled), weak
        yield f"{form}json", json.dumps(spelled)[1:-1], weak
        if not weak:
            yield from _coded(form, spelled)


def _keyed(value: str, salts: Sequence[bytes]) -> Iterator[Form]:
    for salt in salts:
        yield "keyed_digest", hmac.digest(salt, value.encode(), "sha256").hex(), False


def _coded(form: str, value: str) -> Iterator[Form]:
    """Spell a value as programs pass it on: percent-encoded, as JSON, hex and base64, and as the digests in use."""
    raw = value.encode()
    if (escaped := quote(value, safe="")) != value:
        yield f"{form}url_encoded", escaped, False
    if (escaped := json.dumps(value)[1:-1]) != value:
        yield f"{form}json", escaped, False
    yield f"{form}hex", raw.hex(), False
    for at in range(3):
        for variant, told in (("base64", _base64(raw, at)), ("base64url", _base64(raw, at, b"-_"))):
            yield f"{form}{variant}_{at}", told, False
    for name in ("sha1", "sha256", "md5"):
        yield f"{form}{name}", hashlib.new(name, raw, usedforsecurity=False).hexdigest(), False


def _base64(raw: bytes, at: int, altchars: bytes | None = None) -> str:
    """Return what of a base64 text depends on these bytes alone, where so many stand before them, modulo three."""
    coded = base64.b64encode(b"\0" * at + raw, altchars).decode()
    return coded[(0, 2, 3)[at] : (at + len(raw)) * 8 // 6]


def _folded(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def _at_home(number: str) -> str:
    """Return a number as it is dialled in its own country."""
    from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, parse

    try:
        return re.sub(r"\D", "", format_number(parse(number), PhoneNumberFormat.NATIONAL))
    except NumberParseException:
        return number[1:]
