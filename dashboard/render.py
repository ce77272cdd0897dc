"""Templates into answers; everything that is not of a template is escaped."""

import re
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from dashboard import live as following
from dashboard import wording
from ledger import clock
from ledger.audit import Actor, Right
from models.ledger import State

TEMPLATES = Path(__file__).resolve().parent / "templates"
NAVIGATION = (
    ("/", "Overview", Right.LOOK),
    ("/jobs", "Jobs", Right.LOOK),
    ("/failures", "Failures", Right.LOOK),
    ("/operations", "Operations", Right.LOOK),
    ("/queues", "Queues", Right.LOOK),
    ("/kinds", "Kinds", Right.LOOK),
    ("/schedules", "Schedules", Right.LOOK),
    ("/privacy", "Privacy", Right.LOOK),
    ("/billing", "Billing", Right.LOOK),
    ("/audit", "Audit", Right.LOOK),
    ("/operators", "Operators", Right.MANAGE_OPERATORS),
)
"""The pages, each with the right that shows it."""
TONES = {"production": "production", "staging": "staging"}
"""Environments that have a colour of their own; any other has that of a playground."""
UUID_LIKE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$")
"""A time with its offset, as JSON has it."""


class Pages:
    """Renders the pages of one environment."""

    def __init__(self, environment: str) -> None:
        self._jinja = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.filters.update(
            commands=_commands,
            exact=wording.exact,
            machine=wording.machine,
            span=wording.span,
            number=wording.number,
            jobs=wording.jobs,
            relative=wording.relative,
            instant=wording.instant,
            for_field=wording.for_field,
        )
        self._jinja.filters["moment"] = datetime.fromisoformat
        self._jinja.tests["moment"] = lambda value: isinstance(value, str) and bool(MOMENT.match(value))
        self._jinja.tests["uuid"] = lambda value: bool(UUID_LIKE.fullmatch(str(value)))
        self._jinja.globals.update(
            environment=environment,
            tone=TONES.get(environment, "playground"),
            navigation=NAVIGATION,
            link=link,
            State=State,
            live_every=following.EVERY,
        )

    def answer(
        self,
        request: Request,
        template: str,
        status: int = 200,
        *,
        part: str | None = None,
        live: bool = False,
        typed_into: bool = False,
        **values: object,
    ) -> HTMLResponse:
        """Render a page; `live` makes it look again by itself, for its `part` alone, unless the reader paused that.

        `part` is the template of what changes; the page includes it in an element that has the `follow` attributes.
        Without scripts the whole page loads anew, unless it is `typed_into`: that would take the field from under the
        fingers.

        Every page knows `me` (an Actor, or None), `may(right)`, and `csrf(path)`, the hidden field of a form to a path.
        """
        me: Actor | None = getattr(request.state, "actor", None)
        paused = following.paused(request)
        here = link(request.url.path, **_without_live(request))
        alone = part is not None and following.asks_for_part(request)
        page = self._jinja.get_template(part if part is not None and alone else template).render(
            now=clock.now(),
            me=me,
            may=lambda right: me is not None and me.may(Right(right)),
            path=request.url.path,
            live=live and not paused,
            alone=alone,
            pausable=live,
            reloads=live and not paused and not typed_into,
            follow=following.attributes(here, live=live and not paused),
            resume=here,
            pause=link(request.url.path, **_without_live(request), live="off"),
            **{"csrf": lambda path: request.app.state.site.forms.hidden(request.state.session, path), **values},
        )
        return HTMLResponse(page, following.ENOUGH if alone and not live else status)


def link(path: str, **filters: object) -> str:
    """Return an address with its filters; those that are None are left out."""
    given = {name: str(value) for name, value in filters.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _commands(advice: str) -> Markup:
    """Return advice as markup: what stands between backticks is for typing, everything is escaped."""
    parts = [
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(advice.split("`"))
    ]
    return Markup("").join(parts)


def _without_live(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.query_params.items() if name not in ("live", "path")}
