"""What needs somebody now: each alert says what is wrong, what to do, and where."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from dashboard.figures import Figures
from dashboard.render import link
from dashboard.wording import jobs, number, relative, span
from ledger.watch import STALE_AFTER
from models.ledger import Outcome, State

VERY_LATE = 2
"""Times its promise that a queue is behind when jobs no longer go on."""
A_LONG_TIME = timedelta(minutes=10)
"""For which a transaction may be open before it is the first thing to mend."""
UNCOUNTED = timedelta(minutes=5)
"""Nothing has been counted for so long only where no dispatcher runs: one counts each second, a minute back."""


UNDONE = (State.DEAD, State.CANCELLED, State.DISCARDED)
EXPIRES = "retention.expire"


class Level(StrEnum):
    """How soon."""

    NOW = "now"  # jobs stand still
    SOON = "soon"  # something failed, the rest goes on


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to do."""

    level: Level
    title: str
    advice: str
    href: str
    link: str


def find(figures: Figures) -> tuple[Alert, ...]:
    """Return what needs somebody, the most urgent first."""
    found = [alert for rule in RULES for alert in rule(figures)]
    return tuple(sorted(found, key=lambda alert: alert.level is not Level.NOW))


def _workers(figures: Figures) -> Iterator[Alert]:
    alive = [worker for worker in figures.workers if figures.now - worker.heartbeat_at <= STALE_AFTER]
    silent = len(figures.workers) - len(alive)
    if not alive:
        waiting = (
            f"{jobs(figures.waiting)} {'waits' if figures.waiting == 1 else 'wait'} for one." if figures.waiting else ""
        )
        yield Alert(
            Level.NOW if figures.waiting else Level.SOON,
            "No worker is alive",
            f"{waiting} Start `nexara worker`; if one should be running, its log says why it stopped.".strip(),
            link("/jobs", state=State.AVAILABLE),
            "Jobs that wait",
        )
    elif silent:
        yield Alert(
            Level.SOON,
            "A worker fell silent" if silent == 1 else f"{silent} workers fell silent",
            "What it had in hand is taken back and run elsewhere. If nobody stopped it, look at its host.",
            "/#workers",
            "Workers",
        )


def _dispatcher(figures: Figures) -> Iterator[Alert]:
    if figures.overdue is not None:
        late = jobs(figures.overdue.count, figures.overdue.at_least)
        yield Alert(
            Level.NOW,
            "No dispatcher moves due jobs on",
            f"{late} should be available; the oldest was due {relative(figures.overdue.since, figures.now)}."
            " Start `nexara dispatcher`; if one is running, its log says what it waits for.",
            link("/jobs", state=State.RETRYABLE),
            "Jobs that are due",
        )
    elif figures.counted is not None and figures.now - figures.counted > UNCOUNTED:
        yield Alert(
            Level.SOON,
            "No dispatcher runs",
            f"The last was heard of {relative(figures.counted, figures.now)}: what falls due waits meanwhile."
            " Start `nexara dispatcher`; if one should be running, its log says why it stopped.",
            "/queues",
            "Queues",
        )


def _queues(figures: Figures) -> Iterator[Alert]:
    for queue in figures.queues:
        seen = queue.seen
        if queue.late:
            yield Alert(
                Level.NOW if queue.waited > VERY_LATE * queue.promise else Level.SOON,
                f"Queue {seen.queue} is {span(queue.waited)} behind",
                f"It promises {span(queue.promise)}. {jobs(seen.waiting, seen.at_least)} due, {number(seen.running)}"
                " running. If workers are alive, start more; if a vendor is slow, the failures name it.",
                f"/jobs/{seen.oldest}",
                "The job that waits longest",
            )


def _old_transaction(figures: Figures) -> Iterator[Alert]:
    oldest = figures.oldest
    if oldest is not None and oldest.too_old:
        whose = f"{oldest.role or 'a role'}'s, {oldest.state or 'open'}"
        yield Alert(
            Level.NOW if oldest.age > A_LONG_TIME else Level.SOON,
            f"A transaction has been open for {span(oldest.age)}",
            f"It is {whose}. Until it ends, nothing that was deleted or changed since can be removed, and every pick"
            f" walks over it. If nobody needs it, end it as a superuser: {oldest.mend}",
            "/#queues",
            "Queues",
        )


def _parked(figures: Figures) -> Iterator[Alert]:
    parked = figures.counts[State.PARKED]
    if parked.count:
        yield Alert(
            Level.NOW,
            f"{jobs(parked.count, parked.at_least)} parked",
            "Nothing runs them until somebody mends what their reason names, mostly a setting. Then retry them.",
            link("/jobs", state=State.PARKED),
            "Parked jobs",
        )


def _paused(figures: Figures) -> Iterator[Alert]:
    for pause in figures.pauses:
        named = (("queue", pause.queue), ("kind", pause.kind), ("business", pause.business_id))
        what = ", ".join(f"{word} {value}" for word, value in named if value is not None)
        why = pause.why if pause.why.endswith((".", "!", "?")) else f"{pause.why}."
        mend = "mend the setting, then resume it or retry one of its jobs." if pause.code else "resume it."
        yield Alert(
            Level.NOW if pause.code else Level.SOON,
            f"Paused: {what}",
            f"By {pause.who}, {relative(pause.since, figures.now)}: {why} When it may go on, {mend}",
            f"/queues#pause-{pause.id}",
            "Pauses",
        )


def _blocked(figures: Figures) -> Iterator[Alert]:
    for limit in figures.limits:
        if limit.blocked_until is not None:
            waiting = sum(queue.seen.waiting for queue in figures.queues if queue.seen.queue in limit.queues)
            yield Alert(
                Level.SOON,
                f"{limit.name} asked for a pause",
                f"Nobody asks it before {limit.blocked_until:%H:%M:%S} UTC; {jobs(waiting)} due in"
                f" {', '.join(limit.queues)}. If it asks again and again, set what it takes with"
                f" `nexara limits set vendor {limit.name}`.",
                link("/jobs", state=State.RETRYABLE),
                "Jobs that wait",
            )


def _dead(figures: Figures) -> Iterator[Alert]:
    dead = figures.counts[State.DEAD]
    if dead.count:
        yield Alert(
            Level.SOON,
            f"{jobs(dead.count, dead.at_least)} failed for good in the last 24 h",
            "Mend the cause and retry them, or discard what nobody needs any more.",
            link("/failures", state=State.DEAD),
            "Dead jobs",
        )


def _bugs(figures: Figures) -> Iterator[Alert]:
    for group in figures.failures:
        if group.outcome is Outcome.BUG:
            yield Alert(
                Level.SOON,
                f"A bug in {group.kind}: {group.error_class}",
                f"{number(group.count, group.at_least)} times in the last hour, at {group.place}.",
                f"/failures/{group.fingerprint}",
                "Jobs it hit",
            )


def _schedules(figures: Figures) -> Iterator[Alert]:
    for entry in figures.schedules:
        if entry.missed is not None:
            yield Alert(
                Level.NOW,
                f"Schedule {entry.schedule.name} missed a run",
                f"It was due {relative(entry.missed, figures.now)}. Start `nexara scheduler`: what was missed is"
                f" caught up as its policy says ({entry.schedule.missed}).",
                "/schedules",
                "Schedules",
            )


def _retention(figures: Figures) -> Iterator[Alert]:
    for alarm in figures.not_ended:
        yield Alert(
            Level.NOW if alarm.urgent else Level.SOON,
            alarm.title,
            alarm.advice,
            link("/jobs", kind=alarm.kind),
            f"Jobs of {alarm.kind}",
        )


def _nightly(figures: Figures) -> Iterator[Alert]:
    reconciled, deleted = figures.reconciliation.entry.last, figures.retention.came
    if reconciled is not None and reconciled.state in UNDONE:
        yield Alert(
            Level.SOON,
            f"The last reconciliation is {reconciled.state}",
            "A conversation that ended without being metered may be on no bill. Retry it: it is safe to repeat.",
            f"/jobs/{reconciled.job_id}",
            "Its job",
        )
    if dead := deleted.states.get(State.DEAD):
        yield Alert(
            Level.SOON,
            f"{number(dead, deleted.at_least)} {'business still has' if dead == 1 else 'businesses still have'}"
            " data that should be gone",
            "Its deletion failed for good. Mend the cause and retry it: it goes on where it stopped.",
            link("/failures", kind=EXPIRES, state=State.DEAD),
            "What failed",
        )


RULES: tuple[Callable[[Figures], Iterator[Alert]], ...] = (
    _workers,
    _dispatcher,
    _parked,
    _paused,
    _blocked,
    _schedules,
    _nightly,
    _queues,
    _old_transaction,
    _dead,
    _bugs,
    _retention,
)
