"""Somebody who does not exist, in every spelling: what a probe plants, and must find."""

import secrets
from collections.abc import Sequence
from uuid import uuid4

from lifecycle.audit.needles import Kind, Subject, spellings
from lifecycle.audit.search import Search


def canary(salts: Sequence[bytes] = ()) -> Search:
    """Return the needles of somebody made up just now; `salts` as those of whom is really looked for."""
    mark = secrets.token_hex(6)
    number = "+4479" + "".join(str(secrets.randbelow(10)) for _ in range(8))
    subjects = [
        Subject(Kind.PHONE, number),
        Subject(Kind.EMAIL, f"Zoë.{mark}+tag@canary.invalid"),
        Subject(Kind.NAME, f"Zoë {mark.capitalize()} Ångström"),
        Subject(Kind.ID, str(uuid4())),
        Subject(Kind.REF, f"RE{secrets.token_hex(16)}", "twilio"),
        Subject(Kind.TEXT, f'token"{mark}'),
    ]
    return Search(spellings(subjects, salts))


def texts(search: Search) -> list[str]:
    """Return a text for each needle, with other words around it."""
    return [f"before {needle.value} after" for needle in search.needles]
