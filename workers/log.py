"""The process's log: lines made of our own words and the fields named here, and of nothing that anybody else wrote.

A library's own sentence may hold a URL, a number or a name, and so may the text of an exception or a warning: of those
a line says which library, where and of what type, and leaves the words out.
"""

import json
import logging
import re
import sys
import threading
import warnings
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from ledger.claimed import Ended
from ledger.failure import describe

OURS = (
    "__main__",
    "dashboard",
    "jobs",
    "ledger",
    "lifecycle",
    "migrations",
    "models",
    "nexara",
    "providers",
    "schedules",
    "workers",
)
CHATTY = (
    "alembic",
    "apscheduler",
    "botocore",
    "boto3",
    "dramatiq",
    "httpcore",
    "httpx",
    "sqlalchemy",
    "urllib3",
    "uvicorn",
)
"""Libraries that set levels of their own, or that others tend to set for them."""
FIELDS = (
    "job_id",
    "kind",
    "state",
    "reason",
    "attempt",
    "seconds",
    "error",
    "code",
    "place",
    "fingerprint",
    "schedule",
    "queue",
    "worker_id",
    "signal",
    "count",
    "held",
    "given_back",
    "wait",
)
"""What `extra` may carry, in the order of a line: ids, codes and counts. Any other field is left out."""
EVENT = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)+")
"""What a line of ours is called, such as job.rescued."""
LEVELS = {
    "succeeded": logging.INFO,
    "available": logging.INFO,
    "cancelled": logging.INFO,
    "discarded": logging.INFO,
    "retryable": logging.WARNING,
    "moved_on": logging.WARNING,
    "parked": logging.ERROR,
    "dead": logging.ERROR,
}
log = logging.getLogger(__name__)


def configure(level: str = "INFO", form: Literal["text", "json"] = "text") -> None:
    """Send this process's log to stderr: our own lines from `level` on, a library's from WARNING on.

    Raises ValueError for a level that there is not.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())
    logging.raiseExceptions = False  # what logging prints about a line it cannot format quotes that line
    sys.excepthook = _process_crashed
    sys.unraisablehook = _unraisable
    threading.excepthook = _thread_crashed
    warnings.showwarning = _warned


def tell(ended: Ended) -> None:
    """Write the one line of a run."""
    failure = ended.failure
    fields: dict[str, object] = {
        "job_id": ended.job_id,
        "kind": ended.kind,
        "attempt": ended.attempt,
        "reason": ended.reason,
        "seconds": ended.seconds,
    }
    if failure is not None:
        fields |= {
            "error": failure.error_class,
            "code": failure.code,
            "place": failure.place,
            "fingerprint": failure.fingerprint,
        }
    event = f"job.{ended.state}"
    log.log(LEVELS.get(ended.state, logging.WARNING), event, extra=fields)


def told(record: logging.LogRecord) -> dict[str, object]:
    """Return what a line says of a record: the event, its fields, and of an exception its type and frames."""
    place = f"{Path(record.pathname).name}:{record.lineno}"
    said: dict[str, object]
    if record.name.partition(".")[0] not in OURS:
        said = {"event": "library.said", "library": record.name, "place": place}
    else:
        named = EVENT.fullmatch(str(record.msg))
        said = {"event": record.msg} if named else {"event": "line.unnamed", "place": place}
        given = record.__dict__
        said |= {name: _plain(given[name]) for name in FIELDS if given.get(name) is not None}
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        failure = describe("process", error)
        said.setdefault("place", failure.place)
        said |= {"error": failure.error_class, "code": failure.code, "trace": failure.traceback}
    return said


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps({"at": at, "level": record.levelname.lower(), **told(record)})


class TextLines(logging.Formatter):
    """A time, a level, an event and its fields; the frames of an exception below."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        said = told(record)
        event, trace = said.pop("event"), said.pop("trace", None)
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        fields = "".join(f"  {name}={value}" for name, value in said.items())
        return f"{at} {record.levelname:<8} {event}{fields}" + (f"\n{trace}" if trace else "")


def _plain(value: object) -> object:
    """Return a value that is what ids, codes and counts are; of anything else only its type."""
    return value if isinstance(value, (bool, int, float, str)) else type(value).__name__


def _process_crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        log.info("process.interrupted")
    else:
        log.critical("process.crashed", exc_info=(kind, error, trace))


def _thread_crashed(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        log.critical("thread.crashed", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))


def _unraisable(args: Any) -> None:
    if args.exc_value is not None:
        log.error("process.unraisable", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))


def _warned(
    message: Warning | str,  # noqa: ARG001 - a warning may quote the value it is about
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,  # noqa: ARG001 - the signature of warnings.showwarning
    line: str | None = None,  # noqa: ARG001
) -> None:
    log.warning("process.warned", extra={"error": category.__name__, "place": f"{Path(filename).name}:{lineno}"})
