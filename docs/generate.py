"""`python -m docs.generate`: writes README's tables and the data map from the code; with --check, fails if stale."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from jobs.registry import load
from ledger import clock
from ledger.job import Job
from models import render
from schedules.table import TIMETABLE, Missed, Schedule
from settings import Settings

README = Path(__file__).resolve().parent.parent / "README.md"
MISSED = {
    Missed.SKIP: "skipped",
    Missed.ONCE: "one run for all",
    Missed.ALL: "each is run",
}


def jobs() -> Iterator[str]:
    """Yield the table of kinds."""
    yield from _head(
        "kind", "what it does", "payload", "queue, priority", "attempts", "each at most", "needs", "one open per"
    )
    for job in sorted(load(), key=lambda job: job.kind):
        terms = job.payload.terms
        yield _row(
            f"`{job.kind}`",
            _first(job.payload.__doc__),
            ", ".join(_field(name, spec) for name, spec in job.payload.fields().items()),
            f"{terms.queue}, {terms.priority}",
            str(terms.max_attempts),
            _span(terms.timeout),
            ", ".join(terms.vendors) or "the database",
            _unique(job),
        )


def schedules() -> Iterator[str]:
    """Yield the timetable."""
    yield from _head("schedule", "when", "enqueues", "what", "if nobody was there")
    for entry in TIMETABLE:
        yield _row(f"`{entry.name}`", _when(entry), f"`{_kind(entry)}`", entry.about, MISSED[entry.missed])


def settings() -> Iterator[str]:
    """Yield the settings."""
    yield from _head("setting", "default", "what")
    for name, field in Settings.model_fields.items():
        secret = field.annotation is SecretStr
        default = "" if secret or field.default in ("", None) else f"`{field.default}`"
        told = "none: it is a secret" if secret else default or "none"
        yield _row(f"`{(field.alias or name).upper()}`", told, field.description or "")


TABLES: Mapping[str, Callable[[], Iterator[str]]] = {"jobs": jobs, "schedules": schedules, "settings": settings}


def filled(page: str) -> str:
    """Return the page with each table in its place; raises ValueError for a place that is missing."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: written by make docs -->", f"<!-- end of {name} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"README.md has no place for its {name}: {begin} … {end}")
        page = "\n".join([before + begin, *table(), end + after])
    return page


def main(arguments: Sequence[str], at: Path = README) -> int:
    """Write what is generated, or compare it; returns the exit status."""
    check = "--check" in arguments
    status = render.main(list(arguments))
    page = at.read_text(encoding="utf-8")
    wanted = filled(page)
    if check and page != wanted:
        sys.stderr.write("README.md's tables are stale: run `make docs`\n")
        return 1
    if page != wanted:
        at.write_text(wanted, encoding="utf-8")
    return status


def _head(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield _row(*["---"] * len(titles))


def _row(*cells: str) -> str:
    # A bar within a cell would end it.
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _first(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n\n")[0].replace("\n", " ")


def _field(name: str, spec: Mapping[str, object]) -> str:
    return f"{name}: {spec['type']}" + ("" if spec["required"] else ", may be absent")


def _unique(job: Job) -> str:
    terms = job.payload.terms
    return (
        ", ".join(terms.unique_by) + (" until it is done" if terms.until_done else "") if terms.unique_by else "no key"
    )


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _when(entry: Schedule) -> str:
    minute, hour, *rest = entry.cron.split()
    if rest == ["*", "*", "*"] and minute.isdigit() and hour.isdigit():
        return f"daily at {int(hour):02}:{int(minute):02} {entry.zone}"
    if rest == ["*", "*", "*"] and hour == "*" and minute.startswith("*/"):
        return f"every {minute[2:]} minutes"
    return f"`{entry.cron}` {entry.zone}"


def _kind(entry: Schedule) -> str:
    return entry.payload(clock.now()).kind


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
