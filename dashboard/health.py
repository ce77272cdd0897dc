"""Whether the dashboard can do its work: the one page that needs no sign-in, and tells nothing else."""

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from dashboard.site import site


def check(request: Request) -> PlainTextResponse:
    """Say ok, or that the database is unreachable."""
    try:
        with site(request).engine.connect() as db:
            db.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return PlainTextResponse("database unreachable\n", 503)
    return PlainTextResponse("ok\n")
