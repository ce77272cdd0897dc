"""Batches of jobs: the latest of them; and one, with what it waits for, what of it failed and what follows."""

from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dashboard.site import site
from ledger.queries import BatchSeen, list_batches, list_members, looking, read_batch
from ledger.queries.batches import FEW_COUNTED
from models.ledger import State

LISTED = 25
UNDONE = (State.DEAD, State.CANCELLED, State.DISCARDED)
"""How jobs end that did not do what they were asked to: they are listed, since somebody may want to."""


def page(request: Request) -> Response:
    """List the latest batches."""
    here = site(request)
    with looking(here.engine) as db:
        found = list_batches(db, size=LISTED, most=FEW_COUNTED)
    return here.pages.answer(
        request,
        "batches.html",
        part="batches_live.html",
        live=any(batch.completed_at is None for batch in found),
        batches=found,
    )


def one(request: Request) -> Response:
    """Show one batch."""
    here = site(request)
    batch_id: UUID = request.path_params["id"]
    with looking(here.engine) as db:
        batch = _find(read_batch(db, batch_id))
        waits_for = list_members(db, batch_id)
        undone = {state: list_members(db, batch_id, state) for state in UNDONE if batch.ended[state]}
    return here.pages.answer(
        request,
        "batch.html",
        part="batch_live.html",
        live=batch.completed_at is None,
        batch=batch,
        waits_for=waits_for,
        undone=undone,
    )


def _find(batch: BatchSeen | None) -> BatchSeen:
    if batch is None:
        raise HTTPException(
            404,
            "There is no such batch. Batches are forgotten 30 days after they completed, once what follows is done.",
        )
    return batch
