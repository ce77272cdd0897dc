"""The dashboard as one app: its pages, its guard, its headers, and the HTTP API beside them."""

from pathlib import Path

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dashboard import actions, catalogue, errors, health, job, jobs, overview
from dashboard.api.app import create_api
from dashboard.forms import Forms
from dashboard.guard import API, Guard
from dashboard.headers import StrictHeaders
from dashboard.render import Pages
from dashboard.site import Site

STATIC = Path(__file__).resolve().parent / "static"
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
            Route("/kinds", catalogue.kinds, name="kinds"),
            Route("/schedules", catalogue.schedules, name="schedules"),
            Route("/healthz", health.check, name="healthz"),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
            Mount(API, create_api(engine), name="api"),
        ],
        middleware=[Middleware(StrictHeaders), Middleware(Guard, user=user, password=password)],
        exception_handlers=errors.HANDLERS,
    )
    looking = engine.execution_options(postgresql_readonly=True)
    app.state.site = Site(looking, Pages(environment), Forms(secret), acting=engine)
    return app
