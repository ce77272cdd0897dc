"""The dashboard as one app: its pages, its guard, its headers, and the HTTP API beside them."""

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route

from dashboard import (
    actions,
    audit,
    batches,
    catalogue,
    edit,
    enqueue,
    errors,
    failures,
    health,
    job,
    jobs,
    me,
    operate,
    operations,
    operators,
    overview,
    provided,
    queues,
    schedules,
    signing_in,
    snooze,
    upkeep,
)
from dashboard.acting import made
from dashboard.api.app import create_api
from dashboard.assets import Assets
from dashboard.forms import Forms
from dashboard.guard import API, READS, Guard
from dashboard.headers import StrictHeaders
from dashboard.oidc import Oidc
from dashboard.privacy import ask, calendar, data_map, decide, erasures, opening
from dashboard.render import Pages
from dashboard.session import Sessions
from dashboard.site import Site

SHORTEST_SECRET = 16
POST = ["POST"]
ERASURE = "/privacy/erasures/{business:uuid}/{id:uuid}"
ROUTES = [
    Route("/", overview.page, name="overview"),
    Route("/jobs", jobs.page, name="jobs"),
    Route("/jobs/{id:int}", job.page, name="job"),
    Route("/jobs/{id:int}/retry", actions.retry_job, methods=POST),
    Route("/jobs/{id:int}/cancel", actions.cancel_job, methods=POST),
    Route("/jobs/{id:int}/discard", actions.confirm_discard, methods=["GET"]),
    Route("/jobs/{id:int}/discard", actions.discard_job, methods=POST),
    Route("/jobs/{id:int}/run-now", actions.run_now, methods=POST),
    Route("/jobs/{id:int}/edit", edit.page, methods=["GET"]),
    Route("/jobs/{id:int}/edit", edit.edit_job, methods=POST),
    Route("/jobs/{id:int}/snooze", snooze.page, methods=["GET"]),
    Route("/jobs/{id:int}/snooze", snooze.snooze_job, methods=POST),
    Route("/enqueue", enqueue.page, methods=["GET"]),
    Route("/enqueue", enqueue.enqueue_job, methods=POST),
    Route("/failures", failures.page),
    Route("/failures/{fingerprint}", failures.one),
    Route("/operations", operations.page, methods=["GET"]),
    Route("/operations", operate.create_operation, methods=POST),
    Route("/operations/new", operate.preview),
    Route("/operations/{id:uuid}", operations.one),
    Route("/operations/{id:uuid}/cancel", operations.confirm_cancel, methods=["GET"]),
    Route("/operations/{id:uuid}/cancel", operations.cancel_operation, methods=POST),
    Route("/batches", batches.page),
    Route("/batches/{id:uuid}", batches.one),
    Route("/queues", queues.page, name="queues"),
    Route("/pauses", queues.begin_pause, methods=POST),
    Route("/pauses/{id:int}/end", queues.confirm_end, methods=["GET"]),
    Route("/pauses/{id:int}/end", queues.end_pause, methods=POST),
    Route("/kinds", catalogue.kinds, name="kinds"),
    Route("/kinds/{kind}", catalogue.kind, name="kind"),
    Route("/schedules", schedules.page, name="schedules"),
    Route("/schedules/{name}", schedules.one, name="schedule"),
    Route("/schedules/{name}/run", schedules.run_now, methods=POST),
    Route("/privacy", upkeep.privacy),
    Route("/privacy/erasures", erasures.page, methods=["GET"]),
    Route("/privacy/erasures", ask.ask_erasure, methods=POST),
    Route("/privacy/erasures/new", ask.page),
    Route(ERASURE, erasures.one),
    Route(f"{ERASURE}/confirm", decide.confirm_page, methods=["GET"]),
    Route(f"{ERASURE}/confirm", decide.confirm, methods=POST),
    Route(f"{ERASURE}/withdraw", decide.withdraw, methods=POST),
    Route(f"{ERASURE}/ask-again", decide.ask_again, methods=POST),
    Route(f"{ERASURE}/decide", decide.decide, methods=POST),
    Route(f"{ERASURE}/review", decide.review, methods=POST),
    Route(f"{ERASURE}/open", opening.open_erasure, methods=POST),
    Route("/privacy/calendar", calendar.page),
    Route("/privacy/map", data_map.page),
    Route("/billing", upkeep.billing),
    Route("/audit", audit.page),
    Route("/operators", operators.page),
    Route("/operators", operators.add, methods=POST),
    Route("/operators/{name}", operators.one),
    Route("/operators/{name}/role", operators.change_role, methods=POST),
    Route("/operators/{name}/password", operators.set_password, methods=POST),
    Route("/operators/{name}/disable", operators.disable, methods=POST),
    Route("/operators/{name}/enable", operators.enable, methods=POST),
    Route("/operators/{name}/sign-out", operators.sign_out, methods=POST),
    Route("/me", me.page),
    Route("/me/password", me.change_password, methods=POST),
    Route("/me/sign-out", me.sign_out_elsewhere, methods=POST),
    Route("/sign-in", signing_in.page),
    Route("/sign-in", signing_in.sign_in, methods=POST),
    Route("/sign-in/oidc", provided.leave),
    Route("/sign-in/oidc/back", provided.come_back),
    Route("/sign-out", signing_in.sign_out, methods=POST),
    Route("/healthz", health.check, name="healthz"),
    Mount("/static", Assets(), name="static"),
]
UNSIGNED = (signing_in.sign_in,)
"""What may be posted by whom nobody knows yet."""


def create_app(
    engine: Engine, *, environment: str, secret: bytes, https: bool = False, oidc: Oidc | None = None
) -> Starlette:
    """Build the dashboard over an engine that logs in as nexara_dashboard.

    `secret` signs cookies and forms, and is the same in every process that serves the same people; `https` says that
    browsers come by https, though a proxy ends it. Raises ValueError for a secret that is none.
    """
    if len(secret) < SHORTEST_SECRET:
        raise ValueError("the dashboard needs a secret of 16 bytes or more")
    refuse_unguarded(ROUTES)
    sessions = Sessions(engine, secret, https)
    app = Starlette(
        routes=[*ROUTES, Mount(API, create_api(engine), name="api")],
        middleware=[Middleware(StrictHeaders), Middleware(Guard, sessions=sessions)],
        exception_handlers=errors.HANDLERS,
    )
    looking = engine.execution_options(postgresql_readonly=True)
    app.state.site = Site(looking, Pages(environment), Forms(secret), sessions, acting=engine, oidc=oidc)
    return app


def refuse_unguarded(routes: list[BaseRoute]) -> None:
    """Raise ValueError if something can be posted to that dashboard/acting.py did not make."""
    for route in routes:
        if not isinstance(route, Route) or not set(route.methods or ()) - set(READS):
            continue
        if made(route.endpoint) is None and route.endpoint not in UNSIGNED:
            raise ValueError(f"{route.path} takes a POST past dashboard/acting.py: make it with @action")
