"""The HTTP API as one app: its routes and its errors, apart from the pages and their sign-in."""

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from dashboard.api import routes
from dashboard.api.pace import Paced
from dashboard.api.problem import HANDLERS


def create_api(engine: Engine) -> Starlette:
    """Build what is mounted at /v1, over an engine that logs in as nexara_dashboard."""
    app = Starlette(
        routes=[
            Route("/openapi.json", routes.openapi, name="openapi"),
            Route("/jobs", routes.enqueue_one, methods=["POST"], name="enqueue"),
            Route("/jobs/batch", routes.enqueue_many, methods=["POST"], name="enqueue_batch"),
            Route("/batches", routes.enqueue_batch, methods=["POST"], name="enqueue_a_batch"),
            Route("/batches/{id:str}", routes.read_batch, methods=["GET"], name="read_batch"),
            Route("/jobs/{id:str}", routes.read_job, name="read"),
        ],
        exception_handlers=HANDLERS,
        middleware=[Middleware(Paced)],
    )
    # A redirect makes some clients post again without their body; 404 says at once what is wrong.
    app.router.redirect_slashes = False
    app.state.engine = engine
    return app
