"""Operations on many jobs: what was asked for, and how far each is; and cancelling one."""

from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.acting import Acting, action
from dashboard.site import actor, refuse_without, site
from ledger.audit import Right
from ledger.operations import cancel
from ledger.queries import looking
from ledger.queries.filters import address
from ledger.queries.operations import OperationSeen, list_operations, read_operation, read_touched
from models.operations import Standing

WHY_LEFT_OUT = {
    "moved_on": "moved on by themselves, or by somebody else's hand",
    "has_a_twin": "have a newer twin that is already open",
    "paused": "wait for a pause",
    "being_written": "were being written just then",
    "gone": "are forgotten",
    "erased": "were about what has been erased",
}


def page(request: Request) -> Response:
    """List the latest operations."""
    here = site(request)
    with looking(here.engine) as db:
        found = list_operations(db)
    return here.pages.answer(
        request,
        "operations.html",
        part="operations_live.html",
        live=any(each.state is Standing.WORKING for each in found),
        operations=found,
        address=address,
    )


def one(request: Request) -> Response:
    """Show one operation."""
    return show(request)


def show(request: Request, status: int = 200, *, refused: str | None = None) -> Response:
    """Answer with an operation's page, and with what came of the button that was pressed."""
    here = site(request)
    with looking(here.engine) as db:
        operation = _find(read_operation(db, request.path_params["id"]))
        touched = read_touched(db, operation)
    return here.pages.answer(
        request,
        "operation.html",
        status,
        part="operation_live.html",
        # A little longer than it works: what it did to its jobs is to be seen.
        live=refused is None and (operation.state is Standing.WORKING or touched.unsettled),
        operation=operation,
        touched=touched,
        address=address,
        why_left_out=WHY_LEFT_OUT,
        refused=refused,
    )


def confirm_cancel(request: Request) -> Response:
    """Ask why the rest is left undone, on a page of its own: the operation's page may load anew while one types."""
    refuse_without(actor(request), Right.ACT)
    return _form(request)


def _form(request: Request, said: str | None = None) -> Response:
    here = site(request)
    with looking(here.engine) as db:
        operation = _find(read_operation(db, request.path_params["id"]))
    if operation.state is not Standing.WORKING:
        return show(request, 409, refused=said or f"This operation is {operation.state} already.")
    form = getattr(request.state, "form", None) or {}
    return here.pages.answer(
        request,
        "cancel.html",
        200 if said is None else 409,
        operation=operation,
        why=form.get("why", ""),
        refused=said,
    )


@action("operations.cancel", Right.ACT, refused=_form)
def cancel_operation(act: Acting) -> Response:
    """Leave the rest of an operation undone."""
    operation_id: UUID = act.request.path_params["id"]
    act.recorded.append(cancel(act.db, act.actor, operation_id, why=act.why))
    return RedirectResponse(f"/operations/{operation_id}", 303)


def _find(operation: OperationSeen | None) -> OperationSeen:
    if operation is None:
        raise HTTPException(404, "There is no such operation. Operations are forgotten 90 days after their end.")
    return operation
