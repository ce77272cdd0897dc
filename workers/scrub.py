"""The last wall before Sentry: an event is built anew from what may leave; what nobody thought of stays here."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ledger.errors import CODE

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

OURS = "made_by_nexara"
"""Key of the hint that marks an event made in workers.sentry: of any other only types and frames leave."""
WITHHELD = "withheld"

ALWAYS = ("event_id", "timestamp", "level", "platform", "environment", "release")
CHECK_IN = ("type", "monitor_slug", "check_in_id", "status", "duration", "monitor_config")
TAGS = ("job_id", "kind", "state", "reason", "code", "attempt")
FAILURE = ("class", "code", "place", "frames")
FRAME = ("filename", "function", "module", "lineno", "in_app")

EMAIL = re.compile(r"[^\s@<>\"'(]+@[^\s@<>\"')]+")
NUMBER = re.compile(r"\+?\d(?:[ ().-]*\d){4,}")
"""Five digits or more, with what people put between them: a telephone number, a card, a postcode."""
SHAPES = {"job_id": re.compile(r"\d{1,19}"), "code": CODE, "reason": CODE}
"""Tags that may hold digits: an id, and a code such as sql_23505."""
FINGERPRINT = re.compile(r"[0-9a-f]{16}")


def scrub(event: "Event", hint: "Hint") -> "Event | None":
    """Return what of an event may leave; attachments never do."""
    hint["attachments"] = []
    given = cast("Mapping[str, Any]", event)
    kept: dict[str, Any] = {name: given[name] for name in ALWAYS if given.get(name)}
    sdk = given.get("sdk") or {}
    kept["sdk"] = {name: sdk.get(name) for name in ("name", "version")}
    if given.get("type") == "check_in":
        return cast("Event", kept | {name: given[name] for name in CHECK_IN if given.get(name) is not None})
    ours = bool(hint.get(OURS))
    errors = [_error(value, ours=ours) for value in (given.get("exception") or {}).get("values") or []]
    if errors:
        kept["exception"] = {"values": errors}
    else:
        kept["logentry"] = {"message": WITHHELD}
    return cast("Event", kept | (_own(given) if ours else {}))


def nothing(_: Any, __: Any) -> None:
    """Let nothing of this sort leave: transactions, log lines, metrics."""


def mask(text: object) -> str:
    """Return the text with every number of five digits or more and every email address taken out."""
    return NUMBER.sub("#", EMAIL.sub("#", str(text)))


def _own(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what only our own events carry."""
    tags = {name: given["tags"][name] for name in TAGS if given.get("tags", {}).get(name)}
    failure = given.get("contexts", {}).get("failure", {})
    return {
        "transaction": mask(given.get("transaction", "")),
        "fingerprint": [_matching(FINGERPRINT, part) for part in given.get("fingerprint", [])],
        "tags": {name: _matching(SHAPES.get(name), value) for name, value in tags.items()},
        "contexts": {"failure": {name: mask(failure[name]) for name in FAILURE if failure.get(name)}},
    }


def _matching(shape: re.Pattern[str] | None, value: object) -> str:
    """Return what has its due shape as it is, anything else masked."""
    return str(value) if shape and shape.fullmatch(str(value)) else mask(value)


def _error(value: Mapping[str, Any], *, ours: bool) -> dict[str, Any]:
    frames = (value.get("stacktrace") or {}).get("frames") or []
    error: dict[str, Any] = {
        "type": mask(value.get("type", "")),
        "value": _matching(CODE, value.get("value", "")) if ours else WITHHELD,
        "mechanism": {"type": "nexara" if ours else "generic", "handled": ours},
    }
    if frames:
        error["stacktrace"] = {"frames": [{name: frame.get(name) for name in FRAME} for frame in frames]}
    return error
