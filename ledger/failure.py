"""A failure as it is stored and shown: its class, our code and words, the place in our source; never what it quotes."""

import hashlib
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from ledger.payload import Payload
from ledger.transaction import passing

ROOT = Path(__file__).resolve().parent.parent
WITHHELD = "Its own words are withheld: they may quote a caller."
LONGEST_TRACE = 40


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt, fit to be stored."""

    outcome: str
    error_class: str
    code: str
    message: str
    place: str
    traceback: str
    fingerprint: str
    log_tail: str | None = None

    def stored(self) -> dict[str, str | None]:
        """Return the failure under the names that the SQL functions know."""
        return {
            "outcome": self.outcome,
            "class": self.error_class,
            "code": self.code,
            "message": self.message,
            "place": self.place,
            "traceback": self.traceback,
            "fingerprint": self.fingerprint,
            "log_tail": self.log_tail,
        }


def describe(kind: str, error: BaseException, log_tail: str | None = None) -> Failure:
    """Describe an error without quoting it: the words of our own JobErrors are kept, all others are withheld."""
    code, message = _words(error)
    place, frames = _frames(error.__traceback__)
    function = place.rpartition(" ")[2]
    digest = hashlib.sha256("\x1f".join((kind, type(error).__name__, code, place.partition(":")[0], function)).encode())
    return Failure(
        outcome=_outcome(error),
        error_class=type(error).__name__,
        code=code,
        message=message,
        place=place,
        traceback=frames,
        fingerprint=digest.hexdigest()[:16],
        log_tail=log_tail,
    )


def _outcome(error: BaseException) -> str:
    match error:
        case RateLimited():
            return "rate_limited"
        case TryAgain():
            return "try_again"
        case GiveUp():
            return "gave_up"
        case Misconfigured():
            return "misconfigured"
        case _:
            return "try_again" if passing(error) else "bug"


def _words(error: BaseException) -> tuple[str, str]:
    match error:
        case Misconfigured() if error.setting:
            return error.code, f"{error.message} Setting: {error.setting}.".strip()
        case JobError():
            return error.code, error.message
        case DBAPIError():
            diagnosis = getattr(error.orig, "diag", None)
            named = [getattr(diagnosis, name, None) for name in ("table_name", "column_name", "constraint_name")]
            state = getattr(error.orig, "sqlstate", None) or "no_sqlstate"
            return f"sql_{state.lower()}", " ".join([*(n for n in named if n), WITHHELD])
        case ValidationError():
            return "invalid", _wrong(error)
        case _:
            return "unexpected", WITHHELD


def _wrong(error: ValidationError) -> str:
    """Say which fields were wrong and how. A name that no payload has may be the input's own: it is withheld."""
    ours = {name for payload in Payload.__subclasses__() for name in payload.model_fields}
    wrong = set()
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(str(part) if isinstance(part, int) or part in ours else "?" for part in each["loc"])
        wrong.add(f"{place}: {each['type']}")
    return "; ".join(sorted(wrong)[:10])


def _frames(trace: TracebackType | None) -> tuple[str, str]:
    """Return the innermost place in our own source, and the frames as text: files, lines and our code, no values."""
    place = "unknown"
    lines = []
    for frame in traceback.extract_tb(trace, limit=-LONGEST_TRACE):
        path = Path(frame.filename)
        ours = path.is_relative_to(ROOT) and "site-packages" not in path.parts
        name = path.relative_to(ROOT).as_posix() if ours else "/".join(path.parts[-3:])
        if ours:
            place = f"{name}:{frame.lineno} {frame.name}"
        lines.append(f'  File "{name}", line {frame.lineno}, in {frame.name}')
        if ours and frame.line:
            lines.append(f"    {frame.line}")
    return place, "\n".join(lines)
