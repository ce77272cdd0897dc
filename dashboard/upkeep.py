"""Privacy and billing, as far as the ledger tells of them: what the timetable runs for each, and what of it failed."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from dashboard import timetable
from dashboard.site import site
from ledger import clock
from ledger.queries import JobFilter, list_jobs, looking, read_ticks
from models.ledger import State

TICKS_SHOWN = 7
MOST_FAILED = 10


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What a page tells of: a schedule, the kinds of jobs that do its work, and what is to be done if one failed."""

    title: str
    about: str
    schedule: str
    kinds: tuple[str, ...]
    failed: str


PRIVACY = Upkeep(
    title="Privacy",
    about="What has reached its end is deleted each night, business by business, as the data map says."
    " What each table holds, whom it concerns and when it ends: docs/data-map.md.",
    schedule="retention",
    kinds=("retention.sweep", "retention.expire"),
    failed="Data that should be gone is still there: retry it, and look at its error if it fails again.",
)
BILLING = Upkeep(
    title="Billing",
    about="Each ended conversation is metered once; the reconciliation compares all of them with the meter each night"
    " and has what is missing metered.",
    schedule="reconciliation",
    kinds=("usage.meter", "billing.reconcile"),
    failed="What it was to meter is not on any bill: the reconciliation takes it up again, a retry does so now.",
)


def privacy(request: Request) -> Response:
    """Show the deletion of what has reached its end."""
    return _page(request, PRIVACY)


def billing(request: Request) -> Response:
    """Show the reconciliation of conversations with the meter."""
    return _page(request, BILLING)


def _page(request: Request, shown: Upkeep) -> Response:
    here = site(request)
    with looking(here.engine) as db:
        ticks = read_ticks(db, [shown.schedule], TICKS_SHOWN)
        failed = {
            kind: list_jobs(db, JobFilter(state=State.DEAD, kind=kind), size=MOST_FAILED).jobs for kind in shown.kinds
        }
    entry = next(each for each in timetable.entries(ticks, clock.now()) if each.schedule.name == shown.schedule)
    return here.pages.answer(request, "upkeep.html", shown=shown, entry=entry, failed=failed)
