"""What `nexara queues` shows."""

import json
from dataclasses import asdict

import click

from ledger import clock
from ledger.pause import pauses
from ledger.queries import read_queues
from settings import Settings
from workers.by_hand import looking


def list_queues(settings: Settings, *, as_json: bool) -> None:
    """Print the queues, a line each: due, in Redis, running, how long the oldest has waited, and what is paused."""
    now = clock.now()
    with looking(settings) as db:
        found, paused = read_queues(db), pauses(db)
    for queue in found:
        waited = None if queue.waiting_since is None else round((now - queue.waiting_since).total_seconds(), 1)
        held = [pause.id for pause in paused if pause.queue == queue.queue]
        if as_json:
            told = {**asdict(queue), "oldest_waits_seconds": waited, "pauses": held}
            click.echo(json.dumps(told, default=str))
            continue
        since = "nothing waits" if waited is None else f"the oldest waits {waited:.0f} s"
        stopped = f"  PAUSED by pause {', '.join(map(str, held))}" if held else ""
        due = f"{queue.available}{'+' if queue.at_least else ''}"
        counts = f"{due:>8} due {queue.dispatched:>6} in Redis {queue.running:>5} running"
        click.echo(f"{queue.queue:<12} {counts}  {since}{stopped}")
