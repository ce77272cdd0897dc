"""Somebody is found in every spelling, and nobody else is."""

import base64
import hashlib
import hmac
import json
from urllib.parse import quote
from uuid import UUID

import pytest

from lifecycle.audit.needles import Kind, NotUnderstood, Subject, read, spellings
from lifecycle.audit.search import Search

NUMBER = "+447700900123"
ADDRESS = "Anna.Smith+tag@Example.com"
NAME = "Zoë Ångström"
ROW = str(UUID(int=0x7D0C9A523C7E4A359F0F0E6B1F3C2A11))
SID = "RE0123456789abcdef0123456789abcdef"
SALT = bytes(range(32))
SUBJECTS = [
    Subject(Kind.PHONE, NUMBER),
    Subject(Kind.EMAIL, ADDRESS),
    Subject(Kind.NAME, NAME),
    Subject(Kind.ID, ROW),
    Subject(Kind.REF, SID, "twilio", "recording"),
    Subject(Kind.TEXT, 'canary"77'),
]
SEARCH = Search(spellings(SUBJECTS, [SALT]))


def subjects_in(text: str, *, strong: bool = True) -> set[Kind]:
    found = SEARCH.find(text)
    return {SUBJECTS[SEARCH.needles[at].of].kind for at in found if not (strong and SEARCH.is_weak(at))}


def coded(value: str) -> list[str]:
    raw = value.encode()
    return [
        raw.hex(),
        raw.hex().upper(),
        *(base64.b64encode(b"x" * at + raw + b"yz").decode() for at in range(4)),
        *(base64.urlsafe_b64encode(b"~?" * at + raw).decode() for at in range(3)),
        *(hashlib.new(name, raw).hexdigest() for name in ("sha1", "sha256", "md5")),
    ]


NUMBERS = [
    NUMBER,
    "447700900123",
    "07700900123",
    "07700 900123",
    "07700-900-123",
    "0770.0900.123",
    "(07700) 900 123",
    "+44 (0)7700 900 123",
    "+44-7700-900123",
    "00447700900123",
    "0044 7700 900 123",
    "%2B447700900123",
    r"\u002b447700900123",
    "whatsapp:+447700900123",
    "sip:+447700900123@carrier.example",
    "sip:447700900123@carrier.example",
    "+44\u00a07700\u00a0900123",
    '{"from": "+44 7700 900123"}',
    "oh double seven oh oh nine double oh one two three",
    "Oh seven seven, zero zero, nine hundred, one twenty three.",
    "it's plus four four seven seven double 0 nine hundred and one two three, thanks",
    '{"text": "zero seven seven hundred nine oh oh one two three"}',
    "o-seven-seven-o-o-nine-o-o-one-two-three",
    *coded(NUMBER),
    *coded("447700900123"),
    *coded("07700900123"),
    hmac.digest(SALT, NUMBER.encode(), "sha256").hex(),
]
ADDRESSES = [
    ADDRESS,
    ADDRESS.upper(),
    quote(ADDRESS),
    "mailto:anna.smith+tag%40example.com",
    "anna.smith@example.com",
    f"<{ADDRESS.lower()}>",
    *coded(ADDRESS),
    *coded(ADDRESS.lower()),
    *coded(ADDRESS.upper()),
    hmac.digest(SALT, ADDRESS.lower().encode(), "sha256").hex(),
]
NAMES = [
    NAME,
    NAME.upper(),
    "Zoe Angstrom",
    "Ångström Zoë",
    "angstrom, zoe",
    "zoe.angstrom",
    quote(NAME),
    "q=Zo%C3%AB+%C3%85ngstr%C3%B6m",
    json.dumps({"name": NAME}),
    json.dumps(json.dumps({"name": NAME})),
    *coded(NAME),
]
IDS = [ROW, ROW.upper(), ROW.replace("-", ""), f"/v1/jobs/{ROW}"]
REFS = [SID, SID.upper(), hashlib.sha256(f"twilio:{SID}".encode()).hexdigest(), *coded(SID)]
TOKENS = ['canary"77', json.dumps('canary"77'), json.dumps(json.dumps(['canary"77'])), *coded('canary"77')]


@pytest.mark.parametrize(
    ("kind", "spelled"),
    [
        (kind, spelled)
        for kind, all_of_them in zip(Kind, (NUMBERS, ADDRESSES, NAMES, IDS, REFS, TOKENS), strict=True)
        for spelled in all_of_them
    ],
)
def test_each_spelling_is_found_and_is_of_its_own_subject(kind: Kind, spelled: str) -> None:
    assert subjects_in(f"before {spelled} after") == {kind}


@pytest.mark.parametrize(
    "stranger",
    [
        "+447700900124",
        "07700 900 124",
        "anna.smith@example.org",
        "Zoe Smith",
        ROW.replace("7d", "7e"),
        "oh seven seven oh oh nine oh oh one two four",
        "seven times one, two or three of them, at half past nine",
        "2026-06-01 12:00 447 70090 0124",
        "",
        "a" * 10_000,
    ],
)
def test_somebody_else_is_not_found(stranger: str) -> None:
    assert subjects_in(stranger) == set()


def test_the_end_of_a_number_is_told_as_weak() -> None:
    assert subjects_in("ring 0900123 please") == set()
    assert subjects_in("ring 0900123 please", strong=False) == {Kind.PHONE}


def test_each_value_is_looked_for_once() -> None:
    values = [each.value for each in SEARCH.needles]
    assert len(set(values)) == len(values)
    assert all(value == value.lower() for value in values)


def test_a_place_that_names_somebody_is_told_by_its_digest() -> None:
    assert SEARCH.place("recordings/+447700900123.wav") == (
        "sha256 " + hashlib.sha256(b"recordings/+447700900123.wav").hexdigest()[:16]
    )
    assert SEARCH.place("recordings/x.wav") == "recordings/x.wav"


def test_what_is_looked_for_is_read_line_by_line() -> None:
    lines = ["# Anna's\n", "\n", f"phone {NUMBER}\n", f"ref twilio/call {SID}\n", f"id {ROW.upper()}\n", "name Anna\n"]
    assert read(iter(lines)) == [
        Subject(Kind.PHONE, NUMBER),
        Subject(Kind.REF, SID, "twilio", "call"),
        Subject(Kind.ID, ROW),
        Subject(Kind.NAME, "Anna"),
    ]


@pytest.mark.parametrize("line", ["phone 07700 900123", "email anna", "fax +447700900123", "id 12", "text abc", NUMBER])
def test_a_line_that_cannot_be_read_is_told_by_its_number_alone(line: str) -> None:
    with pytest.raises(NotUnderstood, match="line 2 is none of") as refused:
        read(iter(["name Anna Smith\n", f"{line}\n"]))
    assert line not in str(refused.value)
