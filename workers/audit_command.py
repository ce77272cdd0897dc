"""`nexara privacy audit`: whether anything is left of somebody, anywhere."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

import click

from settings import Settings
from workers.wiring import NotConfigured

STATUS = {"clean": 0, "found": 1, "unknown": 3}
PROBES = ("tables", "statistics", "redis", "objects", "logs", "sentry", "vendors")


@click.command("audit")
@click.option(
    "--needles",
    type=click.File(encoding="utf-8"),
    required=True,
    help="What is looked for: a file, or - for standard input; one a line, such as phone +447700900123.",
)
@click.option("--business", type=click.UUID, help="Look for digests under this business's salt alone.")
@click.option("--log", "logs", multiple=True, type=click.Path(path_type=Path), help="A log, or a folder of logs.")
@click.option(
    "--envelopes", multiple=True, type=click.Path(path_type=Path), help="What Sentry was sent: a file or folder."
)
@click.option("--without", multiple=True, type=click.Choice(PROBES), help="Leave a probe out, and say so.")
@click.option("--keep", multiple=True, help="A place where it may be, as a pattern, beside what the data map keeps.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object.")
@click.pass_obj
def audit(
    settings: Settings,
    needles: TextIO,
    business: UUID | None,
    logs: tuple[Path, ...],
    envelopes: tuple[Path, ...],
    without: tuple[str, ...],
    keep: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Look for somebody in every table, statistic, key, object, log and vendor, however it is spelled.

    Each probe first finds what it plants. Ends with 0 if nothing is left, 1 if something is, 3 if nothing is proved
    because something could not be read. No needle is printed: they are told by their numbers.
    """
    from lifecycle.audit import probe
    from lifecycle.audit.kept import kept
    from lifecycle.audit.needles import NotUnderstood, read, spellings
    from lifecycle.audit.report import verdict_of
    from lifecycle.audit.search import Search
    from workers.wiring import require

    require(database_admin_url=settings.database_admin_url)
    try:
        subjects = read(iter(needles))
    except NotUnderstood as wrong:
        raise NotConfigured(f"--needles: {wrong}") from None
    if not subjects:
        raise NotConfigured("--needles: there is nothing to look for")
    from workers.auditing import Places

    with Places(settings, subjects, logs, envelopes) as places:
        salts = places.salts(business)
        search = Search(spellings(subjects, salts))
        probes = [each for each in places.probes() if each.name not in without]
        told = list(
            probe.audit(
                probes, search, keep=[*kept(), *keep], salts=salts, begin=lambda name: click.echo(f"{name} …", err=True)
            )
        )
    verdict = verdict_of(told)
    report = {
        "verdict": str(verdict),
        "needles": [
            {"needle": at, "of": each.of, "form": each.form, "weak": each.weak}
            for at, each in enumerate(search.needles)
        ],
        "left_out": sorted(without),
        "probes": [each.as_json() for each in told],
    }
    if as_json:
        click.echo(json.dumps(report))
    else:
        _print(report, [str(each.kind) for each in subjects])
    sys.exit(STATUS[str(verdict)])


def _print(report: Mapping[str, Any], kinds: Sequence[str]) -> None:
    forms = {each["needle"]: f"{kinds[each['of']]} {each['of'] + 1} as {each['form']}" for each in report["needles"]}
    for each in report["probes"]:
        click.echo(f"{each['verdict']:8} {each['probe']}: {each['scanned']} {each['unit']}; {each['scope']}")
        for word in ("hits", "weak", "kept"):
            for hit in _lines(each[word], forms):
                click.echo(f"  {word:5} {hit}")
        for unread in each["unread"]:
            click.echo(f"  not read: {unread['place']}: {unread['why']}")
    if report["left_out"]:
        click.echo(f"left out: {', '.join(report['left_out'])}")
    click.echo(f"{report['verdict']}: {len(report['needles'])} spellings of {len(kinds)} things were looked for")


def _lines(hits: Iterable[Mapping[str, Any]], forms: Mapping[int, str]) -> list[str]:
    return [f"{hit['place']}: {forms[hit['needle']]}, {hit['count']} times" for hit in hits]
