"""The kinds of jobs: their terms and payloads, how their last day went, and one of them by itself."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dashboard.chart import draw
from dashboard.site import site
from ledger import clock
from ledger.pause import pauses
from ledger.queries import Span, Took, looking, read_durations, read_kinds, read_pace


def kinds(request: Request) -> Response:
    """Show the kinds of jobs."""
    here = site(request)
    with looking(here.engine) as db:
        known = read_kinds(db)
        took = read_durations(db, clock.now())
        paused = pauses(db)
    return here.pages.answer(
        request,
        "kinds.html",
        kinds=known,
        took={kind.kind: took.get(kind.kind, Took()) for kind in known},
        stopped={pause.kind: pause for pause in paused if pause.kind and not pause.business_id},
    )


def kind(request: Request) -> Response:
    """Show one kind: its terms, its payload, its last day."""
    here = site(request)
    name = request.path_params["kind"]
    now = clock.now()
    asked = request.query_params.get("span")
    span = Span(asked) if asked in tuple(Span) else Span.DAY
    with looking(here.engine) as db:
        known = next((each for each in read_kinds(db) if each.kind == name), None)
        took = read_durations(db, now).get(name, Took())
        slots = read_pace(db, now, span, name)
        paused = [pause for pause in pauses(db) if pause.kind == name]
    if known is None:
        raise HTTPException(404, f"There is no kind {name}. The kinds are listed on their page.")
    return here.pages.answer(
        request,
        "kind.html",
        kind=known,
        took=took,
        chart=draw(slots, span),
        spans=tuple(Span),
        paused=paused,
    )
