"""What an erasure's receipt says: how many rows, copies and texts, what was kept and why, what lapses when.

It holds counts, codes, digests and times, and no identifier. Receipts of a business are chained: each has the digest of
the one before it, so that none can be taken out or changed without the next one showing it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from lifecycle.elsewhere import reliances
from lifecycle.paths import parts
from lifecycle.scrub import stays
from models.arriving import EVENT_KEY
from models.base import Row
from models.data_map import About, Ending, Keep, Matching, NoOne
from models.entries import entries, fingerprint, plain, rows, table_of
from models.erasures import Erasure, ErasureScope, Receipt, Review, Scope
from models.traces import Remains

Body = dict[str, Any]
CATALOG = "SELECT * FROM nexara.unmapped()"


def body_of(db: Session, erasure: Erasure, *, checked: Mapping[str, Any]) -> Body:
    """Return what the receipt says; `checked` is what was read back, by its probe."""
    assert erasure.erased_at is not None  # noqa: S101 - only what is erased is verified
    return {
        "scope": str(erasure.scope),
        "origin": str(erasure.origin),
        "replayed": erasure.replayed,
        "asked_at": erasure.asked_at.isoformat(),
        "erased_at": erasure.erased_at.isoformat(),
        "rows": dict(erasure.counts),
        "meant": _meant(db, erasure),
        "copies": copies(db, erasure),
        "texts": _texts(db, erasure),
        "kept": kept(erasure.scope),
        "relied_on": [plain_reliance(each) for each in reliances(erasure.erased_at)],
        "checked": dict(checked),
    }


def copies(db: Session, erasure: Erasure) -> list[Body]:
    """Return how many copies stand how, by store; with the last day on which anything of them lapses."""
    counted = (
        select(Remains.store, Remains.what, Remains.state, func.count(), func.max(Remains.lapses_at))
        .where(Remains.erasure_id == erasure.id)
        .group_by(Remains.store, Remains.what, Remains.state)
        .order_by(Remains.store, Remains.what, Remains.state)
    )
    return [
        {"store": store, "what": what, "state": str(state), "copies": count}
        | ({"lapses_at": lapses.isoformat()} if lapses else {})
        for store, what, state, count, lapses in db.execute(counted)
    ]


def kept(scope: Scope) -> list[Body]:
    """Return what the map keeps of what such an erasure meant: table, columns, reason, until when.

    Named are all columns that a kept row still has, and those of what stays with it. Of a human being the meter is
    named, too, which keeps the digest of a call that is gone, and the erasure itself, which keeps their opaque id.
    """
    found = []
    for row in rows():
        for ending in _endings(row, scope):
            if isinstance(ending, Keep):
                found.append(_kept(table_of(row), ending, stays(table_of(row), ending)))
                if scope is not Scope.BUSINESS:
                    found += [_kept(part, ending, stays(part)) for part, _, _ in parts(table_of(row))]
    return sorted(found, key=lambda each: str(each["table"]))


def _endings(row: type[Row], scope: Scope) -> Iterator[Ending]:
    if scope is Scope.BUSINESS:
        yield from row.__life__.after_cancellation
        return
    for link in row.__life__.links:
        if isinstance(link, About | Matching):
            yield from link.then
        elif isinstance(link, NoOne) and (row is Erasure or EVENT_KEY in table_of(row).columns):
            yield from row.__life__.after_cancellation


def _kept(table: Table, ending: Keep, only: Sequence[str]) -> Body:
    told: Body = plain(ending)
    stated = {key: told[key] for key in ("because", "until")}
    return {"table": table.name, "only": list(only)} | stated


def chained(body: Body, *, erasure: Erasure, catalog: Sequence[Sequence[str]], previous: str | None) -> Receipt:
    """Return the receipt: the body under the map's and the catalog's digests, linked to the one before it."""
    receipt = Receipt(
        business_id=erasure.business_id,
        erasure_id=erasure.id,
        body=body,
        map=fingerprint(entries()),
        catalog=digest([list(line) for line in catalog]),
        previous=previous,
        # Not when the transaction began: another one may have begun later, and written its receipt first.
        made_at=func.clock_timestamp(),
    )
    receipt.hash = hash_of(receipt)
    return receipt


def hash_of(receipt: Receipt) -> str:
    """Return the digest that seals a receipt: of all that it says, and of the one before it."""
    return digest([str(receipt.erasure_id), receipt.body, receipt.map, receipt.catalog, receipt.previous])


def digest(told: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def broken(receipts: Sequence[Receipt]) -> list[str]:
    """Return what is wrong with a business's receipts, oldest first; nothing when the chain holds."""
    wrong, before = [], None
    for receipt in receipts:
        if receipt.hash != hash_of(receipt):
            wrong.append(f"the receipt of erasure {receipt.erasure_id} was changed")
        if receipt.previous != before:
            wrong.append(f"before the receipt of erasure {receipt.erasure_id} one is missing")
        before = receipt.hash
    return wrong


def plain_reliance(each: Any) -> Body:
    """Return what we rely on at a place, as JSON."""
    told: Body = plain(each)
    told.pop("is", None)
    return told


def _meant(db: Session, erasure: Erasure) -> dict[str, int]:
    counted = select(ErasureScope.source, func.count()).where(
        ErasureScope.erasure_id == erasure.id, ErasureScope.decision == "include"
    )
    return {row[0]: row[1] for row in db.execute(counted.group_by(ErasureScope.source))}


def _texts(db: Session, erasure: Erasure) -> dict[str, int]:
    counted = select(Review.state, func.count()).where(Review.erasure_id == erasure.id).group_by(Review.state)
    return {str(state): count for state, count in db.execute(counted)}
