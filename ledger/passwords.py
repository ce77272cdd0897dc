"""Operators' passwords: argon2id by argon2-cffi, at the cost that RFC 9106 recommends where memory is scarce."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 12, 1000
"""Characters: a sentence is a better password than a short riddle."""
NAMED_FROM = 4
"""Letters from which on a name in a password is one, and no chance."""
AT_A_TIME = threading.BoundedSemaphore(2)
"""A hash takes 64 MiB: as many as guessers would like at once would take the process down."""
PATIENCE = 5.0
"""Seconds that a try waits for its turn."""
HASHER = PasswordHasher()
# What a password is compared with where there is no operator: as much work as where there is one.
NOBODY = HASHER.hash("nobody has this password")


class TooMany(Exception):
    """More try to sign in at once than can be checked: this one may try again in a moment."""


class WeakPassword(ValueError):
    """The password is none to be taken; the message says what is wanted."""


def hash_of(password: str, name: str) -> str:
    """Return what is stored of a password; raises WeakPassword."""
    if not LEAST <= len(password) <= MOST:
        raise WeakPassword(f"a password has {LEAST} characters at least: a sentence of your own is a good one")
    named = len(name) >= NAMED_FROM and name.casefold() in password.casefold()
    if named or len(set(password)) < LEAST // 2:
        raise WeakPassword("this password is easily guessed: take a sentence of your own without your name")
    return hash_again(password)


def hash_again(password: str) -> str:
    """Return what is stored of a password that was taken before, at today's cost."""
    with AT_A_TIME:
        return HASHER.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether a password is the one of which this is stored; takes as long where nothing is. Raises TooMany."""
    if not AT_A_TIME.acquire(timeout=PATIENCE):
        raise TooMany
    try:
        HASHER.verify(stored or NOBODY, password[:MOST])
    except (VerificationError, InvalidHashError):
        return False
    finally:
        AT_A_TIME.release()
    return stored is not None


def outdated(stored: str) -> bool:
    """Whether a hash costs less than one made today."""
    return HASHER.check_needs_rehash(stored)
