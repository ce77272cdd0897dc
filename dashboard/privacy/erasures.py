"""Erasures: those that there are, and one of them with its plan, how far it is store by store, and its receipt."""

from collections.abc import Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dashboard.privacy.reading import ErasureSeen, find_erasure, list_erasures, meant, proved, reviews
from dashboard.site import site
from ledger.queries import looking
from models.erasures import ErasureState

SHOWN = ("open", "all")
MEANING = {
    ErasureState.RESOLVING: "Whom it means is being found out, or waits to be confirmed. Nothing has gone.",
    ErasureState.CONFIRMED: "It is confirmed and frozen; it is written down outside the database before anything goes.",
    ErasureState.ERASING: "Rows are going, a batch at a time.",
    ErasureState.PENDING: "The rows are gone. It is completed when every copy has been read back as gone, or lapses on"
    " a known day, and no text waits for somebody.",
    ErasureState.COMPLETED: "Everything that it meant was read back as gone; the receipt says so.",
    ErasureState.WITHDRAWN: "It was withdrawn before it was confirmed. Nothing went.",
}


def page(request: Request) -> Response:
    """List erasures, those that are open unless all are asked for."""
    here = site(request)
    shown = request.query_params.get("shown", "open")
    with looking(here.engine) as db:
        found = list_erasures(db, open_only=shown != "all")
    return here.pages.answer(
        request,
        "privacy/erasures.html",
        part="privacy/erasures_live.html",
        live=any(each.open for each in found),
        erasures=found,
        shown=shown if shown in SHOWN else "open",
    )


def one(request: Request) -> Response:
    """Show one erasure."""
    return show(request)


def show(
    request: Request, status: int = 200, *, refused: str | None = None, opened: Sequence[Any] | None = None
) -> Response:
    """Answer with an erasure's page; `opened` is what an officer had opened of it, which the audit knows."""
    here = site(request)
    with looking(here.engine) as db:
        erasure = known(find_erasure(db, request.path_params["business"], request.path_params["id"]))
        rows, texts, proof = meant(db, erasure), reviews(db, erasure), proved(db, erasure)
    return here.pages.answer(
        request,
        "privacy/erasure.html",
        status,
        part="privacy/erasure_live.html",
        live=refused is None and opened is None and erasure.open,
        typed_into=erasure.state is ErasureState.RESOLVING,
        erasure=erasure,
        meant=rows,
        reviews=texts,
        proof=proof,
        opened={each.id: each for each in opened} if opened is not None else None,
        meaning=MEANING[erasure.state],
        refused=refused,
    )


def known(erasure: ErasureSeen | None) -> ErasureSeen:
    """Return it, or answer that there is none."""
    if erasure is None:
        raise HTTPException(404, "That business has no such erasure. Receipts are kept for three years.")
    return erasure


def at(request: Request) -> str:
    """Return the address of the erasure that a request is about."""
    return f"/privacy/erasures/{request.path_params['business']}/{request.path_params['id']}"
