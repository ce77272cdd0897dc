"""The dashboard as one app: its pages, its guard, its headers, and the HTTP API beside them."""

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route

from dashboard import (
    actions,
    catalogue,
    edit,
    enqueue,
    errors,
    failures,
    health,
    job,
    jobs,
    operate,
    operations,
    overview,
    queues,
    schedules,
    snooze,
)
from dashboard.api.app import create_api
from dashboard.assets import Assets
from dashboard.forms import Forms
from dashboard.guard import API, Guard
from dashboard.headers import StrictHeaders
from dashboard.render import Pages
from dashboard.site import Site

SHORTEST_SECRET = 16


def create_app(engine: Engine, *, user: str, password: str, environment: str, secret: bytes) -> Starlette:
    """Build the dashboard over an engine that logs in as nexara_dashboard.

    `secret` signs forms, and is the same in every process that serves the same people. Raises ValueError without a
    user, a password or a secret: there is no dashboard that is open to everybody.
    """
    if not user or ":" in user or not password or len(secret) < SHORTEST_SECRET:
        raise ValueError("the dashboard needs a user (without a colon), a password and a secret of 16 bytes or more")
    app = Starlette(
        routes=[
            Route("/", overview.page, name="overview"),
            Route("/jobs", jobs.page, name="jobs"),
            Route("/jobs/{id:int}", job.page, name="job"),
            Route("/jobs/{id:int}/retry", actions.retry_job, methods=["POST"], name="retry"),
            Route("/jobs/{id:int}/cancel", actions.cancel_job, methods=["POST"], name="cancel"),
            Route("/jobs/{id:int}/discard", actions.confirm_discard, methods=["GET"], name="confirm_discard"),
            Route("/jobs/{id:int}/discard", actions.discard_job, methods=["POST"], name="discard"),
            Route("/jobs/{id:int}/run-now", actions.run_now, methods=["POST"], name="run_now"),
            Route("/jobs/{id:int}/edit", edit.page, methods=["GET"], name="edit"),
            Route("/jobs/{id:int}/edit", edit.edit_job, methods=["POST"]),
            Route("/jobs/{id:int}/snooze", snooze.page, methods=["GET"], name="snooze"),
            Route("/jobs/{id:int}/snooze", snooze.snooze_job, methods=["POST"]),
            Route("/enqueue", enqueue.page, methods=["GET"], name="enqueue"),
            Route("/enqueue", enqueue.enqueue_job, methods=["POST"]),
            Route("/failures", failures.page, name="failures"),
            Route("/failures/{fingerprint}", failures.one, name="failure"),
            Route("/operations", operations.page, methods=["GET"], name="operations"),
            Route("/operations", operate.create_operation, methods=["POST"]),
            Route("/operations/new", operate.preview, name="operate"),
            Route("/operations/{id:uuid}", operations.one, name="operation"),
            Route("/operations/{id:uuid}/cancel", operations.cancel_operation, methods=["POST"]),
            Route("/queues", queues.page, name="queues"),
            Route("/pauses", queues.begin_pause, methods=["POST"]),
            Route("/pauses/{id:int}/end", queues.end_pause, methods=["POST"]),
            Route("/kinds", catalogue.kinds, name="kinds"),
            Route("/kinds/{kind}", catalogue.kind, name="kind"),
            Route("/schedules", schedules.page, name="schedules"),
            Route("/schedules/{name}", schedules.one, name="schedule"),
            Route("/schedules/{name}/run", schedules.run_now, methods=["POST"]),
            Route("/healthz", health.check, name="healthz"),
            Mount("/static", Assets(), name="static"),
            Mount(API, create_api(engine), name="api"),
        ],
        middleware=[Middleware(StrictHeaders), Middleware(Guard, user=user, password=password)],
        exception_handlers=errors.HANDLERS,
    )
    looking = engine.execution_options(postgresql_readonly=True)
    app.state.site = Site(looking, Pages(environment), Forms(secret), acting=engine)
    return app
