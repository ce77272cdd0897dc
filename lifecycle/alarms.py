"""What somebody has to look at: data that should be gone and is not, and countries whose law nobody looked up.

And erasures that wait for somebody, or take too long. Ids, counts and days; nothing of whom it is about.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

ASK = text("SELECT alarm, business_id, days, country, businesses FROM nexara.retention_alarms_v1(:now)")
ASK_OF_ERASURES = text(
    "SELECT alarm, business_id, erasure_id, days, amount FROM nexara.erasure_alarms_v1(:now, :unresolved, :slow)"
)
UNRESOLVED = timedelta(days=3)
"""How long an erasure may wait to be decided about and confirmed before somebody is told."""
SLOW = timedelta(days=7)
"""How long after it was confirmed an erasure may be under way: vendors delete within hours, some within days."""
TOO_LONG = 25
"""Days after which it is urgent: who asked is to be answered within a month."""
PAST_LAST = "past_last"
"""The day that is never to be passed has been."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong, in a sentence, and what to do."""

    urgent: bool
    title: str
    advice: str
    kind: str = "retention.end"
    """The kind of the jobs to look at."""


def alarms(db: Connection, now: datetime) -> tuple[Alarm, ...]:
    """Return what is wrong with retention and with erasures, what waits longest before the others."""
    return (*_told(db, now), *_erasures(db, now))


def _told(db: Connection, now: datetime) -> Iterator[Alarm]:
    for alarm, business_id, days, country, businesses in db.execute(ASK, {"now": now}):
        if business_id is None:
            yield Alarm(
                urgent=False,
                title=f"Nobody looked up for how long {country} wants billing records kept",
                advice=f"{businesses} of its businesses keep theirs for the longest period we know. Have the law looked"
                " up, and add it to nexara.keep_periods.",
            )
        else:
            yield _late(alarm, business_id, days)


def _late(alarm: str, business_id: UUID, days: int) -> Alarm:
    return Alarm(
        urgent=alarm == PAST_LAST,
        title=f"A business left {days} days ago and is not erased",
        advice=f"Business {business_id}. `nexara jobs list --kind retention.end` and `nexara privacy list` say how far"
        " it is; what its vendors still have is in `nexara privacy show`.",
    )


def _erasures(db: Connection, now: datetime) -> Iterator[Alarm]:
    asked = {"now": now, "unresolved": UNRESOLVED, "slow": SLOW}
    for alarm, business_id, erasure_id, days, amount in db.execute(ASK_OF_ERASURES, asked):
        title, todo = WAITS[alarm](amount, days, f"{business_id} {erasure_id}" if erasure_id else str(business_id))
        yield Alarm(urgent=days >= TOO_LONG, title=title, advice=todo, kind="privacy.verify")


def _by_hand(amount: int, days: int, of: str) -> tuple[str, str]:
    several = " " in of
    them = _plural(amount, "it", "them")
    where = (
        f"`nexara privacy show {of}` says where" if several else f"They are of rows of business {of} that went by age"
    )
    again = f", then `nexara privacy ask-again {of}`" if several else ""
    return (
        f"{amount} {_plural(amount, 'copy waits', 'copies wait')} for somebody, {_since(days)}",
        f"No call of ours deletes {them}. {where}. Have the vendor delete {them}{again}.",
    )


def _undecided(amount: int, days: int, of: str) -> tuple[str, str]:
    todo = f"`nexara privacy show {of}` lists them; `nexara privacy review` decides."
    return (
        f"{amount} {_plural(amount, 'text waits', 'texts wait')} to be looked at, {_since(days)}",
        f"They may name somebody who is being erased, and it is not completed before. {todo}",
    )


def _unresolved(_amount: int, days: int, of: str) -> tuple[str, str]:
    return (
        f"An erasure that was asked for {_days(days)} ago is not confirmed",
        f"`nexara privacy plan {of}` says whom it means and what is to be decided; then confirm it, or withdraw it.",
    )


def _slow(_amount: int, days: int, of: str) -> tuple[str, str]:
    return (
        f"An erasure that was asked for {_days(days)} ago is not completed",
        f"`nexara privacy show {of}` says which store or text it waits for.",
    )


WAITS: Mapping[str, Callable[[int, int, str], tuple[str, str]]] = {
    "by_hand": _by_hand,
    "undecided": _undecided,
    "unresolved": _unresolved,
    "slow": _slow,
}


def _since(days: int) -> str:
    return f"for {_days(days)}" if days else "since today"


def _days(days: int) -> str:
    return f"{days} {_plural(days, 'day', 'days')}"


def _plural(amount: int, one: str, several: str) -> str:
    return one if amount == 1 else several
