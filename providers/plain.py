"""Text as PostgreSQL can hold it: vendors send NUL, control characters and halves of surrogate pairs, too."""

import re
from typing import Annotated

from pydantic import BeforeValidator

UNHOLDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def plain(text: str) -> str:
    """Return the text without the characters that no table can hold, and without blanks around it."""
    return UNHOLDABLE.sub("", text).strip()


def _plain(value: object) -> object:
    return plain(value) if isinstance(value, str) else value


Plain = Annotated[str, BeforeValidator(_plain)]
