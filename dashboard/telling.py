"""What the words of the ledger mean to who is on call."""

from models.ledger import State

MEANING = {
    State.SCHEDULED: "It is not due yet.",
    State.RETRYABLE: "An attempt failed in a way that may pass: it is tried again by itself.",
    State.PARKED: "Nothing runs it until somebody mends what its reason names, or ends the pause it waits for.",
    State.AVAILABLE: "It is due and waits for the dispatcher.",
    State.DISPATCHED: "Its id lies in Redis: the next free worker of its queue takes it.",
    State.RUNNING: "A worker has it in hand.",
    State.SUCCEEDED: "It did what it was asked to, in the transaction that completed it.",
    State.DEAD: "It failed for good. Mend the cause, then retry it; or discard it.",
    State.CANCELLED: "Its own handler found nothing to do, or somebody on call cancelled it.",
    State.DISCARDED: "It was put aside and runs no more.",
}
REASONS = {
    "attempts_exhausted": "every attempt failed",
    "by_hand": "somebody on call said so",
    "erased": "what it was about has been erased",
    "limited_too_long": "the vendor asked to wait beyond the job's last moment",
    "paused": "it waits for a pause, which the overview names",
    "snoozed": "it was put off",
    "spread": "it waits for its turn among many that were retried at once",
    "poison": "its workers died three times while they ran it, so it is kept from others",
    "superseded": "a newer job does the same work",
}
MOVES_SOON = (State.AVAILABLE, State.DISPATCHED, State.RUNNING)
"""States that a job leaves while one watches."""


def meaning_of_reason(reason: str | None) -> str | None:
    """Return a reason in words, where the engine itself gave it."""
    return REASONS.get(reason or "")


def may_retry(state: State) -> bool:
    """Whether a retry would be accepted; the ledger itself decides, this is for the button."""
    return state not in (State.AVAILABLE, State.DISPATCHED, State.RUNNING, State.SUCCEEDED)


def may_run_now(state: State) -> bool:
    """Whether running it at once would be accepted; the ledger itself decides, this is for the button."""
    return state in (State.SCHEDULED, State.RETRYABLE, State.PARKED)


def may_snooze(state: State) -> bool:
    """Whether putting it off would be accepted; the ledger itself decides, this is for the button."""
    return state in (State.SCHEDULED, State.RETRYABLE, State.AVAILABLE, State.DISPATCHED)


def may_discard(state: State) -> bool:
    """Whether a discard would be accepted; the ledger itself decides, this is for the button."""
    return state not in (State.RUNNING, State.SUCCEEDED, State.DISCARDED)


def may_cancel(state: State) -> bool:
    """Whether a cancellation would be accepted; the ledger itself decides, this is for the button."""
    return state not in (State.SUCCEEDED, State.DEAD, State.CANCELLED, State.DISCARDED)
