"""What may be left of somebody, and who says so: the receipt, and places where nobody's data lies."""

from typing import Any

from tests.canary.seeking import Hit

INDEX = ("nexara.mentions.needle", "nexara.mentions.row_id", "receipts")
"""Where what is kept stands once more: what a kept text mentions; what a receipt says of the one before it."""
LINES = {"invoice_lines": "invoice_id", "quote_lines": "quote_id"}
"""By which of its own keys a kept row hangs on another."""
STONES = {"event_key", "keyed_digest"}
"""What the journal has of tombstones: digests, as the receipt says of the table."""
UNDELETABLE = {"telnyx call", "telnyx message"}
"""Of what lapses, what no call deletes: the rest is gone there but for an entry, which the sandbox does not show."""
CODES = {
    f"ledger.{table}.{column}"
    for table, columns in {
        "jobs": "claimed_at deadline_at dispatched_at enqueued_at failed_at fingerprint finished_at give_up_at "
        "parent_id reason root_id run_at started_at unique_key",
        "attempts": "ended_at error_class error_code fingerprint kind place started_at worker_id",
        "kept_answers": "input_hash kept_at",
        "api_keys": "created_at expires_at id last_used_at paced_until per_minute revoked_at",
        "batches": "actor cancelled completed_at dead discarded id opened_at root_id sealed_at succeeded",
        "idempotency_keys": "batch_id created_at job_ids",
        "pauses": "code ended_at kind queue since",
    }.items()
    for column in columns.split()
}
"""Columns of the ledger that hold codes, times and digests: the planner may remember some until its next look."""


SIGNED_IN = {"nexara.users.id", "nexara.users.created_at"}
"""Of who signed in, what the planner may remember: their row goes with their copy, after it was told to forget."""
CODES |= SIGNED_IN


def keep_list(receipt: Any) -> set[str]:
    """Return the places that a receipt says are kept: columns with their rows' keys, and vendors' copies that lapse."""
    kept = {each["table"]: each["only"] for each in receipt.body["kept"]}
    places = {f"nexara.{table}.{column}" for table, only in kept.items() for column in (*only, "id")}
    places |= {f"nexara.{part}.{pointing}" for part, pointing in LINES.items() if part in kept}
    lapses = {f"{each['store']} {each['what']}" for each in receipt.body["copies"] if each["state"] == "lapses"}
    return places | (lapses & UNDELETABLE)


def left_over(found: dict[str, set[Hit]], keeps: set[str]) -> list[tuple[str, str, str]]:
    """Return in which store, and where in it, what was found that nothing says is kept: the columns it was made for."""
    left = set()
    for store, hits in found.items():
        for hit in hits:
            where = hit.where.removeprefix("statistics of ")
            is_code = store == "statistics" and where in CODES
            is_index = where in INDEX and hit.made_for in keeps
            is_stone = where == "journal" and (hit.form in STONES or hit.made_for.endswith(".event_key"))
            if where not in keeps and not is_code and not is_index and not is_stone:
                left.add((store, where, hit.made_for))
    return sorted(left)
