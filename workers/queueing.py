"""What `nexara queues` shows."""

import json
from dataclasses import asdict

import click

from ledger import clock
from ledger.pause import pauses
from ledger.queries import LimitSeen, QueueSeen, read_limits, read_queues
from models.limits import Limited
from settings import Settings
from workers.by_hand import looking
from workers.limits import told


def list_queues(settings: Settings, *, as_json: bool) -> None:
    """Print the queues with their limits: due, in Redis, running, how long the oldest has waited, what is paused."""
    now = clock.now()
    with looking(settings) as db:
        found, paused, limits = read_queues(db), pauses(db), read_limits(db)
    for queue in found:
        waited = None if queue.waiting_since is None else round((now - queue.waiting_since).total_seconds(), 1)
        held = [pause.id for pause in paused if pause.queue == queue.queue]
        slow = [limit for limit in limits if queue.queue in limit.queues]
        if as_json:
            stands = {"oldest_waits_seconds": waited, "pauses": held, "limits": [asdict(limit) for limit in slow]}
            click.echo(json.dumps({**asdict(queue), **stands}, default=str))
            continue
        click.echo(_line(queue, waited, held))
        for limit in slow:
            if limit.subject != Limited.BUSINESS:
                click.echo(f"{'':<12} {told(limit)}")
    _of_businesses([] if as_json else [limit for limit in limits if limit.subject == Limited.BUSINESS])


def _line(queue: QueueSeen, waited: float | None, held: list[int]) -> str:
    since = "nothing waits" if waited is None else f"the oldest waits {waited:.0f} s"
    stopped = f"  PAUSED by pause {', '.join(map(str, held))}" if held else ""
    due = f"{queue.available}{'+' if queue.at_least else ''}"
    counts = f"{due:>8} due {queue.dispatched:>6} in Redis {queue.running:>5} running"
    return f"{queue.queue:<12} {counts}  {since}{stopped}"


def _of_businesses(limits: list[LimitSeen]) -> None:
    """Print the limits that every queue has: once, and not with each of them."""
    for limit in limits:
        click.echo(f"{'every queue':<12} {told(limit)}")
