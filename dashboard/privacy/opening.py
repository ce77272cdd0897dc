"""Opening somebody's data, to decide about it: shown once, to a privacy officer, and written down in the audit."""

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

from dashboard.acting import Acting, Why, action
from dashboard.privacy.erasures import show
from ledger.audit import Right

OPEN = text("SELECT id, told FROM nexara.open_erasure_v1(:business, :erasure)")


def _shown(request: Request, said: str) -> Response:
    return show(request, 409, refused=said)


@action("privacy.open", Right.SEE_PERSONAL_DATA, why=Why.MUST, refused=_shown)
def open_erasure(act: Acting) -> Response:
    """Show what stands in the rows and texts that somebody has to decide about."""
    told = {"business": act.request.path_params["business"], "erasure": act.request.path_params["id"]}
    opened = act.db.execute(OPEN, told).all()
    act.record(about={name: str(value) for name, value in told.items()}, after={"opened": len(opened)})
    return show(act.request, opened=opened)
