"""How every vendor is asked: an error that comes back becomes one of ours, and nothing of it is kept."""

from collections.abc import Callable
from pathlib import PurePath
from traceback import extract_tb
from typing import TypeVar

from ledger.errors import JobError

Answer = TypeVar("Answer")


def ask(call: Callable[[], Answer], meaning: Callable[[Exception], JobError]) -> Answer:
    """Return what `call` answers; raise `meaning` of what it raises, which has neither cause nor context.

    Tracebacks are stored, and an SDK's error quotes requests and replies. Raising after the `except` block
    has ended leaves no trace of it, not even the one that `from None` only hides.
    """
    try:
        return call()
    except JobError:
        raise
    except Exception as error:  # noqa: BLE001 - each of them has a meaning, the unknown ones too
        failure = meaning(error)
    raise failure


def whereabouts(error: Exception) -> str:
    """Return the class of an error nobody foresaw and the line it came from, and none of its text."""
    last = extract_tb(error.__traceback__)[-1:]
    return "".join([type(error).__name__, *(f" at {PurePath(f.filename).name}:{f.lineno}" for f in last)])
